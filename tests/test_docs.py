"""The documentation says what is so: its examples are run, and what is made of the code is as the code."""

import os
import re
import shlex
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile

import pytest

from docs import diagrams, generated
from tests.e2e.fork import Fork
from tests.e2e.house import KEPT, Process
from threadcast.bot.shell import cli

ROOT = Path(__file__).resolve().parents[1]
DOCS = [path for path in sorted((ROOT / "docs").rglob("*.md")) if "_build" not in path.parts]
# What an example is: a file, a service that is started, commands whose answers are shown, or are not.
EXAMPLE = re.compile(r"<!-- (file|start|run)( [^>]*?)? -->\n```\w+\n(.*?)```", re.DOTALL)
TRIED = [path for path in DOCS if "<!-- run" in path.read_text(encoding="utf-8")]


@dataclass
class Reader:
    """Somebody who does what a page says, in an empty folder with an empty environment."""

    folder: Path

    def __post_init__(self) -> None:
        kept = {name: os.environ[name] for name in KEPT if name in os.environ}
        self.env = {**kept, "HOME": str(self.folder / "home"), "THREADCAST_WEB__LISTEN": "off"}

    def types(self, command: str) -> str:
        with NamedTemporaryFile("r", encoding="utf-8") as output:
            words = shlex.split(command)[1:]
            fork = Fork(cli.main, words, folder=self.folder, env=self.env, output=output.name)
            process = Process(fork)
            try:
                code = process.end()
            finally:
                fork.kill()
            assert code == 0, "".join(process.lines)
            return output.read()

    def starts(self, command: str) -> Process:
        process = Process(Fork(cli.main, shlex.split(command)[1:], folder=self.folder, env=self.env))
        process.wait_for("running")
        return process


def commands(block: str) -> Iterator[tuple[str, str]]:
    """The commands of a block, each with the answer that the page shows."""
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        command, _, answer = part.partition("\n")
        yield command, answer


def agree(shown: str, said: str) -> bool:
    """Whether an answer is what the page shows: … is anything, alone any lines; blanks do not count."""
    wanted = [re.escape(" ".join(line.split())) + "\n" for line in shown.splitlines() if line.strip()]
    lines = [" ".join(line.split()) + "\n" for line in said.splitlines() if line.strip()]
    pattern = "".join("(.*\n)*" if line == "…\n" else line.replace("…", ".*") for line in wanted)
    return re.fullmatch(pattern, "".join(lines)) is not None


@pytest.mark.parametrize("page", TRIED, ids=lambda path: path.stem)
def test_examples_do_what_they_show(page: Path, tmp_path: Path) -> None:
    """Who does what a page says sees what it shows."""
    reader = Reader(tmp_path)
    with ExitStack() as until_the_end:
        for kind, name, block in EXAMPLE.findall(page.read_text(encoding="utf-8")):
            if kind == "file":
                (tmp_path / name.strip()).write_text(block, encoding="utf-8")
                continue
            for command, shown in commands(block):
                assert command.startswith("threadcast ")
                if kind == "start":
                    until_the_end.callback(reader.starts(command).put_an_end)
                else:
                    said = reader.types(command)
                    assert "quietly" in name or agree(shown, said), f"$ {command}\n{said}"


@pytest.mark.parametrize("page", generated.PAGES)
def test_made_pages_are_up_to_date(page: str) -> None:
    """What is made of the code was made of this code; `make docs` makes it anew."""
    lines = "\n".join(generated.PAGES[page]()) + "\n"
    assert (ROOT / "docs/reference" / page).read_text(encoding="utf-8") == lines


DIAGRAMS = [
    pytest.param(source, id=f"{path.stem}-{number}")
    for path in DOCS
    for number, source in enumerate(
        re.findall(r"```mermaid\n(.*?)```", path.read_text(encoding="utf-8"), re.DOTALL)
    )
]


@pytest.mark.parametrize("source", DIAGRAMS)
def test_diagrams_are_drawn(source: str) -> None:
    """The built pages draw every arrow of a diagram, with what is written at it and its title."""
    drawn = diagrams.svg(source)
    wanted = {(one["source"], one["target"]) for one in diagrams.EDGE.finditer(source)}
    assert drawn.count('<path class="arrow') == len(wanted) > 5
    assert all(one["label"] in drawn for one in diagrams.EDGE.finditer(source) if one["label"])
    assert f"<title>{source.partition('accTitle: ')[2].splitlines()[0]}</title>" in drawn


BESIDE = [
    ROOT / name
    for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CODE_OF_CONDUCT.md", "CHANGELOG.md")
]


@pytest.mark.parametrize("page", [*BESIDE, *DOCS], ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    """What a page links to is there, or is a whole https address."""
    text = re.sub(
        r"```.*?```|^ {4}.*?$|`[^`]*`", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE
    )
    targets = re.findall(r"\]\(([^)\s]+)\)", text)
    for target in targets:
        path, _, anchor = target.partition("#")
        if "://" in target:
            assert re.fullmatch(r"https://[\w.-]+(/[^\s]*)?", target), target
            continue
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), target
        if anchor:
            titles = re.findall(r"^#+ (.*)$", file.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in {
                re.sub(r"[^\w -]", "", one).strip().lower().replace(" ", "-") for one in titles
            }, target


def test_every_kind_is_there() -> None:
    """A reader finds a tutorial, guides, a reference and explanations, each page in one of them."""
    kinds = {path.relative_to(ROOT / "docs").parts[0] for path in DOCS}
    assert kinds == {"index.md", "tutorial.md", "how-to", "reference", "explanation", "decisions"}

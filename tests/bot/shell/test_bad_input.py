"""What is given us and cannot be used: one clear sentence each, nothing half added."""

import zipfile
from io import BytesIO
from pathlib import Path

import pytest

from tests.bot.media.drawn import MP4, bomb, jpeg, put
from tests.bot.shell.typed import THREAD, Shell

MEGABYTE = 1024 * 1024
ALIASES = ["title: &a0 x", *(f"b{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 10))]


def packed(**files: bytes) -> bytes:
    """An archive; `__` in a name stands for a slash, and `_` for a dot."""
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", "/").replace("_", "."), content)
    return out.getvalue()


def shows(source: str) -> bytes:
    return f"1/ The lamp.\n![A lamp](lamp.jpg)\n2/ The sea.\n![The sea]({source})\n3/ Fog /end\n".encode()


@pytest.fixture
def folder(shell: Shell) -> Path:
    """What the bad texts name, beside them."""
    put(shell.folder, lamp_jpg=jpeg(), text_jpg=b"1/ Bread", bomb_png=bomb() + bytes(2 * MEGABYTE))
    with (shell.folder / "long.mp4").open("wb") as file:  # with a hole in it
        file.write(MP4)
        file.truncate(300 * MEGABYTE)
    return shell.folder


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        (
            "t.txt",
            shows("text.jpg"),
            "t.txt, line 4: text.jpg is no picture, video or recording, though it is",
        ),
        ("t.txt", shows("long.mp4"), "t.txt, line 4: long.mp4 is larger than 100 MB, more than any network"),
        ("t.txt", shows("bomb.png"), "t.txt, line 4: bomb.png is 50,000 x 50,000 pixels, more than can be"),
        ("t.txt", shows("../lamp.jpg"), "t.txt, line 4: ../lamp.jpg leads out of the text's folder"),
        ("t.txt", shows("https://127.0.0.1/a.jpg"), "https://127.0.0.1/a.jpg leads into a private network"),
        ("t.txt", shows("https://192.168.0.1/a.jpg"), "leads into a private network, and is not fetched"),
        ("t.txt", shows("https://[::ffff:10.0.0.1]/a.jpg"), "leads into a private network, and is not"),
        ("t.zip", packed(t_txt=shows("lamp.jpg"), lamp_jpg=jpeg(), more_zip=packed()), "another archive"),
        ("t.zip", packed(t_txt=shows("lamp.jpg"), ____lamp_jpg=jpeg()), "which leads out of its folder"),
        (
            "t.zip",
            packed(t_txt=shows("none.jpg"), lamp_jpg=jpeg()),
            "there is no file none.jpg in the archive",
        ),
    ],
)
def test_what_cannot_be_used(shell: Shell, folder: Path, name: str, content: bytes, said: str) -> None:
    """It is refused in one sentence that names it, nothing of it is queued, and the next text is taken."""
    refused = shell("add", shell.write(content, name), shell.write(THREAD, "good.txt"))
    assert refused.exit_code == 3
    assert said in " ".join(refused.stderr.split())
    assert "Traceback" not in refused.output
    assert shell.json("queue")["deliveries"] == []
    assert "#1 The lamp was lit" in shell.ok("add", "good.txt")


@pytest.mark.parametrize(
    "front",
    ["- warning: Food\n- language: de", "\n".join(ALIASES)],
    ids=["a list", "a bomb of aliases"],
)
def test_what_is_no_front_matter(shell: Shell, front: str) -> None:
    """What cannot be read as settings settles nothing: a warning says so, and holds the thread."""
    added = shell.ok("add", shell.write(f"---\n{front}\n---\n{THREAD}"))
    assert "warning line" in added
    assert "masto, news: held" in added
    assert shell.json("show", "1")["thread"]["settings"] == {}

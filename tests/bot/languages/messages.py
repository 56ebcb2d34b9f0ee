"""`make messages`: the sentences of the code, put into every catalogue."""

import ast
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

from babel import Locale
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.pofile import read_po, write_po

from threadcast.bot.channels.telegram.errors import REFUSALS
from threadcast.bot.languages import DEFAULT, LANGUAGES
from threadcast.config.schedule.languages import WEEKDAYS
from threadcast.queue.errors import Fault

ROOT = Path(__file__).resolve().parents[3]
CATALOGUES = ROOT / "bot/languages/po"
TABLE = ROOT / "docs/reference/languages.md"
# What a worker says to the log: nobody asked.
UNHEARD = {
    *(Fault.LEASE_LOST, Fault.CHANGED, Fault.PLANNED, Fault.NO_POST_OUT, Fault.NOTHING_TO_POST),
    *(Fault.NO_POSITION, Fault.WRONG_END, Fault.NOT_PLANNED, Fault.NOT_NEXT, Fault.NOT_SENDING),
    *(Fault.NOT_OUT, Fault.NOT_STOPPED, Fault.BEGINNING),
}

# Sentences that are data, or of rooms that know of no languages.
DATA = {
    "config/schedule/words.py": [one[:3] for one in WEEKDAYS],
    "queue/errors.py": [*(fault.value for fault in Fault if fault not in UNHEARD), "nothing"],
    "bot/channels/telegram/refusals.toml": [
        one[key] for one in REFUSALS for key in ("what", "advice") if one[key]
    ],
}

HEADER = """\
msgid ""
msgstr ""
"Language: {language}\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Plural-Forms: {plural}\\n"

"""


def template() -> Catalog:
    """Every sentence that the code says, with the modules that say it."""
    found = Catalog(project="Threadcast", charset="utf-8")
    for path in sorted(path for room in ("bot", "queue", "config") for path in (ROOT / room).rglob("*.py")):
        for message in filter(_has_words, marked(ast.parse(path.read_text("utf-8")))):
            found.add(message, locations=[(str(path.relative_to(ROOT)), 0)])
    posts = ROOT / "bot/channels/local/posts.html.j2"
    for path in [*sorted((ROOT / "bot/web/templates").glob("*.html")), posts]:
        for said in of_template(path):
            found.add(said, locations=[(str(path.relative_to(ROOT)), 0)])
    for place, messages in DATA.items():
        for message in messages:
            found.add(message, locations=[(place, 0)])
    return found


def marked(tree: ast.Module) -> Iterator[str | tuple[str, str]]:
    """The sentences that a module marks. Babel's own search looks into no f-string."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(
                func=ast.Name(id="Sentence" | "say" | "ngettext"),
                args=[ast.Constant(value=one), ast.Constant(value=many), *_],
            ):
                yield str(one), str(many)
            case ast.Call(
                func=ast.Name(id="_" | "N_" | "Sentence" | "say" | "CannotComposeError"),
                args=[ast.Constant(value=message)],
            ):
                yield str(message)


def of_template(path: Path) -> Iterator[str | tuple[str, ...]]:
    """The sentences of a template of the page."""
    options = {"silent": "false", "trim_blocks": "true", "lstrip_blocks": "true"}
    keywords = {"_": None, "ngettext": (1, 2)}
    with path.open("rb") as file:
        for _line, message, _comments, _context in extract("jinja2", file, keywords, options=options):
            yield message


def _has_words(message: str | tuple[str, str]) -> bool:
    """Whether there is anything to translate beside the places."""
    return any(
        text.strip(" :;,–()")
        for text, *_place in Formatter().parse(message[0] if isinstance(message, tuple) else message)
    )


def catalogue(language: str) -> Catalog:
    """What is translated into a language."""
    path = CATALOGUES / f"{language}.po"
    if not path.exists():
        return Catalog(locale=language)
    with path.open("rb") as file:
        return read_po(file, locale=language)


def main() -> None:
    sentences = template()
    for language in LANGUAGES:
        if language == DEFAULT:
            continue
        ours = catalogue(language)
        ours.update(sentences, no_fuzzy_matching=True, update_creation_date=False)
        write(language, ours)
    rows = table()
    print("\n".join(rows))
    page = TABLE.read_text("utf-8")
    before, _old, after = page.partition(rows[0])
    rest = after.lstrip("|").partition("\n\n")[2]
    TABLE.write_text("\n".join([before + rows[0], *rows[1:], "", rest]), "utf-8")


def table() -> list[str]:
    """The languages and how much is said in them, as `docs/reference/languages.md` has it."""
    rows = [
        "| language | code | sentences | with plural | plural forms | translated |",
        "|---|---|---|---|---|---|",
    ]
    for language in LANGUAGES:
        ours = template() if language == DEFAULT else catalogue(language)
        plural = sum(not isinstance(one.id, str) for one in ours)
        known = Locale.parse(language)
        many = 2 if language == DEFAULT else ours.num_plurals
        whole = len(ours) if language == DEFAULT else len(ours) - len(missing(ours))
        name = known.get_display_name(DEFAULT)
        rows.append(f"| {name} | `{language}` | {len(ours)} | {plural} | {many} | {whole} |")
    return rows


def write(language: str, ours: Catalog) -> None:
    """Keep a catalogue: by module, without the lines, so that it changes where its sentences do."""
    with (CATALOGUES / f"{language}.po").open("wb") as file:
        file.write(HEADER.format(language=language, plural=ours.plural_forms).encode())
        write_po(
            file,
            ours,
            width=0,
            sort_by_file=True,
            ignore_obsolete=True,
            include_lineno=False,
            omit_header=True,
        )


def missing(ours: Catalog) -> list[str]:
    """What is not translated, or not in every form that the language has."""
    return [str(one.id) for one in ours if one.id and not all(forms(one))]


def forms(one: Message) -> tuple[str, ...]:
    """A translation, in each of its plural forms."""
    if isinstance(one.string, str):
        return (one.string,)
    return tuple(one.string or ("",))


if __name__ == "__main__":
    main()

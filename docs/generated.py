"""Writes the pages of the reference that are made of the code: python docs/generated.py"""

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

from threadcast.bot import models
from threadcast.config.settings import variables

REFERENCE = Path(__file__).parent / "reference"

SETTINGS = """\
# Settings

<!-- Made by docs/generated.py of the models in config/: `make docs` makes it anew. -->

All settings are environment variables, or lines of `.env`: in the working folder, else in
`~/.config/threadcast`. With nothing set, Threadcast runs on a SQLite file and one local channel.
[example.env](../../config/example.env) has them all, ready to be copied.

`<NAME>` is your own name for a channel. A misspelt variable is refused at the start, with the nearest right
name; no message ever shows a value. `threadcast config` shows which are in force, and from where. A variable
of the environment wins over `.env`, and that over a secret file and the file of channels.
"""

JSON = """\
# JSON

<!-- Made by docs/generated.py of bot/models.py: `make docs` makes it anew. -->

What `--json` prints is made of these objects; [Commands](commands.md#json) says which command prints which.
Keys may be added, and are not taken away. A moment is text in ISO 8601 with its offset; `null` stands where a
type ends in *or null* and there is nothing to say.
"""


def settings() -> Iterator[str]:
    """Yield the lines of the page of all variables."""
    yield from SETTINGS.splitlines()
    for group, found in groupby(variables(), lambda one: one.group):
        yield from ("", f"## {group}", "", "| variable | what it is | default |", "|---|---|---|")
        for one in found:
            yield f"| `{one.name}` | {one.meaning}; e.g. `{one.example}` | {one.default or '—'} |"


def json() -> Iterator[str]:
    """Yield the lines of the page of all objects."""
    yield from JSON.splitlines()
    for model in vars(models).values():
        if not (isinstance(model, type) and issubclass(model, models.Model)) or model is models.Model:
            continue
        yield from ("", f"## {model.__name__}", "")
        if model.__doc__ and model.__doc__ != models.Model.__doc__:
            yield from (model.__doc__.splitlines()[0], "")
        base = model.__bases__[0]
        if base is not models.Model:
            yield from (f"All of [{base.__name__}](#{base.__name__.lower()}), and:", "")
        yield from ("| key | type |", "|---|---|")
        inherited = getattr(base, "model_fields", {})
        schema = model.model_json_schema(mode="serialization")
        for name, field in schema["properties"].items():
            if name not in inherited:
                yield f"| `{name}` | {kind(field, schema.get('$defs', {}))} |"


def kind(field: dict[str, Any], parts: dict[str, Any]) -> str:
    """Return the type of a key in words, with a link to what it is made of."""
    if "anyOf" in field:
        return " or ".join(dict.fromkeys(kind(one, parts) for one in field["anyOf"]))
    if "$ref" in field:
        name = field["$ref"].rpartition("/")[2]
        ours = isinstance(model := getattr(models, name, None), type) and issubclass(model, models.Model)
        return f"[{name}](#{name.lower()})" if ours else kind(parts[name], parts)
    if "enum" in field or "const" in field:
        return " or ".join(f"`{one}`" for one in field.get("enum", [field.get("const")]))
    match field.get("type"):
        case "array":
            of = field.get("items") or (field.get("prefixItems") or [{}])[0]
            return f"list of {kind(of, parts)}"
        case "object":
            more = field.get("additionalProperties")
            return f"object of {kind(more, parts)}" if isinstance(more, dict) and more else "object"
        case found:
            return WORDS.get(str(found), "any value")


WORDS = {
    "string": "text",
    "integer": "number",
    "number": "number",
    "boolean": "true or false",
    "null": "null",
}
PAGES = {"settings.md": settings, "json.md": json}


def main() -> None:
    """Write each page that is not as it should be."""
    for name, lines in PAGES.items():
        text = "\n".join(lines()) + "\n"
        page = REFERENCE / name
        if not page.exists() or page.read_text(encoding="utf-8") != text:
            page.write_text(text, encoding="utf-8")
            print(f"made anew: {page}")  # noqa: T201  # the answer


if __name__ == "__main__":
    main()

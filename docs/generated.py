"""Writes the pages of the reference that are made of the code: python docs/generated.py"""

from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Any, get_args

from prometheus_client import Metric
from prometheus_client.metrics import MetricWrapperBase

from threadcast.bot import models
from threadcast.bot.web.monitoring import measures, metrics
from threadcast.config.channels import CHANNELS
from threadcast.config.settings import variables
from threadcast.queue.outcomes import Code, Look
from threadcast.queue.states import DeliveryState

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

METRICS = """\
# Figures for Prometheus

<!-- Made by docs/generated.py of bot/web/monitoring/: `make docs` makes it anew. -->

What `/metrics` tells on the page's address; [Watching over a service](../how-to/operations.md) says who may
ask, and has an alert for each promise and a dashboard. Each service counts what it does itself, and begins
anew with it. What comes from the queue is the same on all machines that share one: take `max`, not `sum`.
Figures and labels may be added, and are not taken away.
"""

PROCESS = """
Beside them stand those of the process: `process_resident_memory_bytes`, `process_cpu_seconds_total`,
`process_open_fds`, `process_start_time_seconds`.

## Labels

Sends and chains have their series from the start, so that the first event shows.

| label | what it is |
|---|---|"""

# What a label is, and the values that the code has for it.
LABEL: dict[str, tuple[str, Iterable[str]]] = {
    "about": (
        "what is wrong, by the name that `/health/ready` has for it: `database`, `chat`, a channel",
        (),
    ),
    "call": ("what was asked of a network", ("preflight", "send", "edit", "look-up")),
    "channel": ("the name of a channel; `(gone)` for all that are not configured any more", ()),
    "code": ("why a chain was put off", [code.replace(" ", "-") for code in Code if code]),
    "found": (
        "what a look for a post in doubt found: `absent` is sent again, `blind` waits for a person",
        [look.__name__.lower() for look in get_args(Look)],
    ),
    "network": ("the kind of the channel", CHANNELS),
    "outcome": ("what a call came to; `unknown` is a doubt", measures.OUTCOMES),
    "python": ("the version of Python", ()),
    "state": ("where a delivery stands, or what its chain came to", DeliveryState),
    "version": ("the version of Threadcast", ()),
    "window_seconds": ("how long the window of the rate limit is", ()),
}


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


def figures() -> Iterator[str]:
    """Yield the lines of the page of all figures."""
    yield from METRICS.splitlines()
    counted: list[Any] = [
        one for one in vars(measures.Measures()).values() if isinstance(one, MetricWrapperBase)
    ]
    asked: list[Any] = [*metrics.of_service({}), *metrics.of_queue({}, {})]
    for title, found in (("What is counted", counted), ("What is so now", asked)):
        yield from ("", f"## {title}", "", "| figure | labels | what it tells |", "|---|---|---|")
        for one in found:
            told = one if isinstance(one, Metric) else next(iter(one.describe()))
            labels = ", ".join(f"`{label}`" for label in one._labelnames)  # noqa: SLF001  # nothing else tells them where there is no value
            about = told.documentation + (" (a histogram)" if told.type == "histogram" else "")
            yield f"| {series(told)} | {labels or '—'} | {about} |"
    yield from PROCESS.splitlines()
    for name, (meaning, values) in LABEL.items():
        yield f"| `{name}` | {': '.join(filter(None, [meaning, ', '.join(f'`{one}`' for one in values)]))} |"


def series(told: Metric) -> str:
    """Return the name that a figure is asked by."""
    return f"`{told.name}{ENDS.get(told.type, '')}`"


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


ENDS = {"counter": "_total", "histogram": "_bucket"}
WORDS = {
    "string": "text",
    "integer": "number",
    "number": "number",
    "boolean": "true or false",
    "null": "null",
}
PAGES = {"settings.md": settings, "json.md": json, "metrics.md": figures}


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

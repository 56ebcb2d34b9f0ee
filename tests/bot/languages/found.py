"""Sentences that are said without a mark: what channels and the publisher find; it is stored in English."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
ROOMS = ("bot/channels", "bot/publishing")
# Rooms of which only errors are said, and what a file is that is no text.
RAISING = ("bot/media", "bot/requests", "queue/compose", "queue/text")
ERRORS = {"InputError", "MediaError", "CannotComposeError", "NotTextError"}
# For `threadcast check`, the log and the local page alone.
ELSEWHERE = {"page.py", "page_writer.py", "build.py", "progress.py", "scheduler.py", "lease.py"}
# The chat says what is found of a Telegram channel alone.
CHECKS = {"bot/channels/local/checks.py", "bot/channels/mastodon/checks.py"}
SAYING = {
    *(
        "Fault",
        "Refused",
        "Throttled",
        "Unreached",
        "Unknown",
        "Blind",
        "Named",
        "Difference",
        "Left",
        "Audit",
    ),
    *("Finding", "Forecast", "Room", "append", "_stuck", "unreached", "NetworkError"),
}
NAMES = {
    "reason",
    "what",
    "advice",
    "said",
    "why",
    "by_hand",
    "doubt",
    "linked",
    "wanted",
    "hours",
    "through",
}


def found() -> dict[str, set[str]]:
    """Each module of those rooms with its sentences: text in code that makes an outcome, or returns words."""
    said: dict[str, set[str]] = {}
    for room in (*ROOMS, *RAISING):
        for path in sorted((ROOT / room).rglob("*.py")):
            if path.name not in ELSEWHERE and str(path.relative_to(ROOT)) not in CHECKS:
                tree = ast.parse(path.read_text("utf-8"))
                sentences = _sentences(tree) if room in ROOMS else _raised(tree)
                said[str(path.relative_to(ROOT))] = set(sentences)
    return said


def _raised(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id=name)) if name in ERRORS:
                for each in node.args:
                    yield from _texts(each)
            case ast.AnnAssign(target=ast.Name(id="KINDS" | "ZIPPED"), value=ast.expr() as value):
                yield from _texts(value)
            case ast.Assign(
                targets=[ast.Name(id="problem" | "found" | "first" | "most" | "seen")], value=value
            ):
                yield from _texts(value)


def _sentences(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)) if name in SAYING:
                for each in [*node.args, *(keyword.value for keyword in node.keywords)]:
                    yield from _texts(each)
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if name in NAMES or name.isupper():
                yield from _texts(value)
            case ast.AugAssign(target=ast.Name(id=name), value=value) if name in NAMES:
                yield from _texts(value)
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value) if name.isupper():
                yield from _texts(value)
            case ast.Return(value=ast.expr() as value):
                yield from _texts(value)
            case ast.Assign(targets=[ast.Tuple()], value=value):
                yield from _texts(value)


def _texts(node: ast.expr) -> Iterator[str]:
    match node:
        case ast.Constant(value=str(text)) if _is_said(text):
            yield text.strip(";, ")
        case ast.JoinedStr():
            text = _template(node)
            if _is_said(text):
                yield text.strip(";, ")
        case ast.IfExp(body=first, orelse=second) | ast.BinOp(left=first, right=second):
            yield from _texts(first)
            yield from _texts(second)
        case ast.Tuple(elts=every) | ast.List(elts=every) | ast.Dict(values=every):
            for each in every:
                yield from _texts(each)
        case ast.Call(func=ast.Name(id="redact"), args=[text]):
            yield from _texts(text)


def _template(node: ast.JoinedStr) -> str:
    """An f-string as a sentence with named places: each has the last name of what is put there."""
    parts: list[str] = []
    names: list[str] = []
    for each in node.values:
        if isinstance(each, ast.FormattedValue):
            named = re.findall(r"[a-z_]+", ast.unparse(each.value).lower()) or ["text"]
            name = named[-1].strip("_")
            parts.append("{" + name + (str(names.count(name) + 1) if name in names else "") + "}")
            names.append(name)
        else:
            assert isinstance(each, ast.Constant)
            parts.append(str(each.value))
    return "".join(parts)


def _is_said(text: str) -> bool:
    """Whether a text is words for a person: two of them at least, and no pattern, path or address."""
    words = re.sub(r"{[a-z_]+}", "x", text)
    return bool(re.search(r"[a-z]{2,} ", words) or re.search(r" [a-z]{2,}", words)) and not re.search(
        r"[\\^$]|\?P<|%[a-zA-Z]|^https?:", text
    )

"""The file `.env`: settings that are put into it, and all else in it left as it stands."""

from collections.abc import Mapping
from io import StringIO
from pathlib import Path

from dotenv.parser import parse_stream

from threadcast.bot.durable import write_whole
from threadcast.bot.languages import _
from threadcast.bot.shell.exits import Exit, FaultError
from threadcast.config.environment import gather
from threadcast.config.settings import variables


def find(environ: Mapping[str, str]) -> Path:
    """Return the file that settings are read from; it need not be there."""
    _environ, _problems, folders = gather(environ, Path.cwd(), [one.name for one in variables()])
    return folders.dotenv


def keep(path: Path, values: Mapping[str, str]) -> None:
    """Put settings into the file: whole or not at all, for its owner only. Raises FaultError."""
    try:
        path = path.resolve()  # a link stays one
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        before = path.read_bytes().decode("utf-8-sig") if path.exists() else ""
        write_whole(path, filled(before, values).encode())
    except OSError as error:
        said = _("{file} cannot be written: {cause}").format(file=path, cause=error.strerror)
        raise FaultError(said, Exit.CONFIGURATION) from None


def filled(text: str, values: Mapping[str, str]) -> str:
    """Return the text of the file with these settings: where one stands empty, in its place, else behind.

    The values are such as need no quotes: one word, as tokens, addresses and names are.
    """
    end = "\r\n" if "\r\n" in text else "\n"
    left, kept = dict(values), []
    for binding in parse_stream(StringIO(text, newline="")):
        whole = binding.original.string
        name = (binding.key or "").upper()
        if name in left and not (binding.value or "").strip() and "#" not in whole:
            head = whole[: len(whole) - len(whole.lstrip())]  # blank lines belong to it
            whole = f"{head}{name}={left.pop(name)}{end}"
        kept.append(whole)
    text = "".join(kept)
    if left and text and not text.endswith(("\n", "\r")):
        text += end
    return text + "".join(f"{name}={value}{end}" for name, value in left.items())

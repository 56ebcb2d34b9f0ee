"""How `setup` comes by an answer: from an option, or typed on a terminal; a script is told the option."""

import asyncio
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final, TypeVar

import click

from threadcast.bot.languages import _
from threadcast.bot.plain import plain
from threadcast.bot.shell.exits import Exit, FaultError

T = TypeVar("T")

LOOK: Final = 0.5  # seconds between two looks for what a person does elsewhere
LONGEST: Final = 10_000  # bytes of a file with a token


def on_terminal() -> bool:
    """Whether somebody is there to be asked."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def answer(question: str, given: str | None, *, option: str, step: str, secret: bool = False) -> str:
    """Return what was given, or is typed now; empty where it is left out. Raises UsageError in a script."""
    if given is not None:
        return given
    if not on_terminal():
        raise missing(option, step)
    typed: str = click.prompt(question, default="", show_default=False, hide_input=secret, err=True)
    return typed.strip()


def missing(option: str, step: str) -> click.UsageError:
    """Return what a script has to say that cannot be asked."""
    return click.UsageError(
        _("say {option}, or leave that step out: {without}").format(
            option=option, without=f"--without {step}"
        )
    )


def secret_of(file: str | None) -> str | None:
    """Return the line in a file, `-` for standard input: a secret is no word of a command line.

    Raises FaultError.
    """
    if file is None:
        return None
    try:
        data = sys.stdin.buffer.read(LONGEST) if file == "-" else Path(file).read_bytes()[:LONGEST]
    except OSError as error:
        said = _("{file} cannot be read: {cause}").format(file=plain(file), cause=error.strerror)
        raise FaultError(said, Exit.INPUT) from None
    return data.decode(errors="replace").strip()


async def waited(found: Callable[[], T | None]) -> T | None:
    """Return what a person brings about elsewhere, once it is there; None where they press Enter here."""
    loop, left = asyncio.get_running_loop(), asyncio.Event()

    def pressed() -> None:
        sys.stdin.readline()
        left.set()

    loop.add_reader(sys.stdin, pressed)
    try:
        while not left.is_set():
            if (thing := await asyncio.to_thread(found)) is not None:
                return thing
            with suppress(TimeoutError):
                await asyncio.wait_for(left.wait(), LOOK)
        return None
    finally:
        loop.remove_reader(sys.stdin)

"""What the program exits with."""

from enum import IntEnum
from typing import Self

import click


class Exit(IntEnum):
    """What the program exits with; the table in docs/reference/commands.md is made of `meaning`."""

    meaning: str

    def __new__(cls, code: int, meaning: str) -> Self:
        one = int.__new__(cls, code)
        one._value_ = code
        one.meaning = meaning
        return one

    DONE = 0, "done"
    FAULT = 1, "a fault of Threadcast's own"
    USAGE = 2, "wrong usage"
    INPUT = 3, "a file cannot be used: missing, no permission, not text, empty, over 20 MB, there already"
    CONFIGURATION = 4, "the configuration is wrong"
    QUEUE = 5, "the queue cannot be used, or another service is running"
    NOT_FOUND = 6, "no such thread or channel"
    NOT_ALLOWED = 7, "the thread's state does not allow it; with `--follow`, it stopped and is not published"
    CHECK_FAILED = 8, "`check`, `pair` or `setup` found that a bot or a server cannot be used"
    OUTPUT = 9, "done, but the answer could not be written: the disk is full, or the terminal is gone"
    INTERRUPTED = 130, "stopped with Ctrl-C"
    PIPE_CLOSED = 141, "the reader of the output went away (as with `head -1`)"


class FaultError(click.ClickException):
    """Something a person can mend: said on standard error, with its own exit code."""

    def __init__(self, message: str, code: Exit) -> None:
        super().__init__(message)
        self.exit_code = code  # type: ignore[misc]  # Click declares it for the class, and reads the instance

"""Runs `threadcast` on a machine whose clock is wrong by so many seconds. The service has no hooks.

python -m tests.faults.shifted 600 run
"""

import sys
import time
from datetime import datetime, timedelta, tzinfo
from typing import Any

from threadcast.bot.shell import cli


class _LikeDatetime(type):
    def __instancecheck__(cls, one: object) -> bool:
        return isinstance(one, datetime)


def shift(seconds: float) -> None:
    """Set the wall clock of this process, for all that asks Python for it. What counts on goes on."""
    real, ahead = time.time, timedelta(seconds=seconds)

    class Shifted(datetime, metaclass=_LikeDatetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Any:
            return datetime.now(tz) + ahead

        @classmethod
        def utcnow(cls) -> Any:
            return datetime.now() + ahead  # noqa: DTZ005  # as the original has it

    time.time = lambda: real() + seconds
    for module in list(sys.modules.values()):
        if module.__name__ != __name__ and getattr(module, "datetime", None) is datetime:
            module.datetime = Shifted  # type: ignore[attr-defined]


def main() -> None:
    shift(float(sys.argv.pop(1)))
    cli.main()


if __name__ == "__main__":
    main()

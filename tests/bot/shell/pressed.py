"""Ctrl-C pressed at each step of a pause in turn: a process of its own, for it may never end."""

import signal
import sys
from types import FrameType
from typing import Any

from threadcast.bot.shell.follow import until_interrupted


def at_step(step: int) -> bool:
    """Press at this step of the pause; whether there is such a step. Ends once the pause was interrupted."""
    left = step

    def trace(frame: FrameType, event: str, arg: object) -> Any:
        nonlocal left
        frame.f_trace_opcodes = True
        left -= 1
        if left == 0:
            signal.raise_signal(signal.SIGINT)
        return trace

    with until_interrupted(0.0) as pause:
        sys.settrace(trace)
        try:
            pause()
        except KeyboardInterrupt:
            return True
        finally:
            sys.settrace(None)
        if left > 0:
            return False
        try:
            pause()
        except KeyboardInterrupt:
            return True
    raise AssertionError(f"pressed at step {step}, and nothing came of it")


if __name__ == "__main__":
    tried = 1
    while at_step(tried):
        tried += 1
    print(tried - 1)

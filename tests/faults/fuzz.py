"""`make fuzz`: more than 100,000 bad inputs, and a table of what came of them.

Arguments: how many in all, then the groups, where it is not to be all of them. Another seed each time;
a fault is printed with what caused it, and the exit code is 1.
"""

import itertools
import logging
import sys
import time
import traceback
from random import SystemRandom
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.faults.fuzzing import GROUPS, Judge, in_time

IN_ALL = sum(share for _, _, share in GROUPS.values())
BATCH = 1_000  # cases with one seed


def throw(cases: st.SearchStrategy[Any], judge: Judge, number: int, begin: int) -> tuple[int, str]:
    """Throw so many cases; how many it were, and what broke."""
    thrown = itertools.count()

    @seed(begin)
    @settings(
        max_examples=number,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.target, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(cases)
    def one(case: Any) -> None:
        next(thrown)
        with in_time():
            judge(case)

    try:
        one()
    except Exception:  # noqa: BLE001  # whatever broke is what we are looking for
        return next(thrown), traceback.format_exc()
    return next(thrown), ""


def main() -> int:
    wanted = int(sys.argv[1]) if sys.argv[1:] else IN_ALL
    logging.disable(logging.CRITICAL)  # what libraries say to each answer
    begin = SystemRandom().getrandbits(32)
    print(f"seed {begin}\n\n{'group':<20} {'cases':>8} {'faults':>7} {'seconds':>8}", flush=True)
    total = broken = 0
    for name in sys.argv[2:] or GROUPS:
        cases, opened, share = GROUPS[name]
        began, number, faults = time.monotonic(), 0, list[str]()
        with opened() as judge:
            while number < share * wanted // IN_ALL:
                size = min(BATCH, share * wanted // IN_ALL - number)
                thrown, fault = throw(cases, judge, size, begin + number)
                number += max(thrown, 1)
                faults += [fault] if fault else []
        print(f"{name:<20} {number:>8,} {len(faults):>7} {time.monotonic() - began:>8.0f}", flush=True)
        for fault in faults[:1]:
            print(fault, file=sys.stderr, flush=True)
        total, broken = total + number, broken + len(faults)
    print(f"{'in all':<20} {total:>8,} {broken:>7}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())

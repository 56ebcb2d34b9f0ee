"""The judge sees what it is there to see."""

import pytest

from tests.faults.judge import Seen, Verdict, judge

CHAINS = [["1/ a", "2/ b", "3/ c"], ["1/ x"]]
WELL: list[Seen] = [("1", None, "1/ a"), ("2", "1", "2/ b"), ("3", None, "1/ x"), ("4", "2", "3/ c")]


@pytest.mark.parametrize(
    ("seen", "verdict"),
    [
        (WELL, Verdict(posts=4)),
        ([*WELL, ("5", "2", "3/ c")], Verdict(posts=5, duplicates=1)),
        (WELL[:3], Verdict(posts=3, losses=1)),
        ([*WELL[:3], ("4", "1", "3/ c")], Verdict(posts=4, wrong_parents=1)),
        ([*WELL[:3], ("4", None, "3/ c")], Verdict(posts=4, wrong_parents=1)),
        ([WELL[3], *WELL[:3]], Verdict(posts=4, wrong_parents=1)),
        ([("1", None, "1/ a"), ("3", "1", "1/ x")], Verdict(posts=2, losses=2, wrong_parents=1)),
        ([*WELL, ("5", None, "1/ a, cut")], Verdict(posts=5, strangers=1)),
        ([], Verdict(losses=4)),
    ],
)
def test_what_it_sees(seen: list[Seen], verdict: Verdict) -> None:
    """A copy, a gap, a wrong parent, a wrong order and a text nobody wrote are each counted once."""
    assert judge(seen, CHAINS) == verdict
    assert verdict.flawless == (seen is WELL)

"""Whatever comes from outside, there is no crash, no hang and no secret told. A little of it each time."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.faults.fuzzing import GROUPS, in_time

pytestmark = pytest.mark.no_cover  # they compute a lot, and twice as long while lines are counted

A_FEW = {"files": 150, "environment": 100, "errors and headers": 150, "commands": 25, "the chat": 40}


@pytest.mark.parametrize("name", GROUPS)
def test_nothing_breaks(name: str) -> None:
    """Bad files, settings, answers and command lines end in what is documented, in time, secrets kept."""
    cases, opened, _ = GROUPS[name]
    with opened() as judge:

        @settings(
            max_examples=A_FEW.get(name, 30),
            deadline=None,
            suppress_health_check=list(HealthCheck),
            database=None,
        )
        @given(st.data())
        def throw(data: st.DataObject) -> None:
            with in_time():
                judge(data.draw(cases))

        throw()

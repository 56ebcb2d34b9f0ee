"""What readers did along a chain, and what is made of it."""

from dataclasses import astuple
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from threadcast.bot.channels.port import Readers
from threadcast.bot.readers.figures import Looked, Step, came, curve, leaves
from threadcast.bot.web.readers.plots import HEIGHT, WIDTH, plot

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
FIGURES = st.builds(Readers, *[st.integers(0, 1000)] * 3)
CHAINS = st.lists(FIGURES, min_size=1, max_size=40).map(
    lambda found: Looked(NOON, dict(enumerate(found, start=1)))
)


def looked(*favourites: int) -> Looked:
    return Looked(NOON, {place: Readers(one, 0, 0) for place, one in enumerate(favourites, start=1)})


def test_whoever_did_something_came_so_far() -> None:
    """A post was reached at least by as many as did something to it or to a later one."""
    assert came(looked(10, 2, 5, 0)) == (10, 5, 5, 0)
    gone = Looked(NOON, {1: Readers(3, 0, 0), 3: Readers(0, 2, 1)})
    assert came(gone) == (3, 2, 2)
    assert gone.total == Readers(3, 2, 1)
    assert came(Looked(NOON, {})) == ()


def test_where_readers_leave() -> None:
    """Readers leave behind the post whose following one lost the most of them; nowhere where none is lost."""
    steps = curve([looked(10, 9, 3, 2)])
    assert steps[1:3] == (Step(2, 9, 0.9), Step(3, 3, 0.3))
    assert leaves(steps) == steps[1]
    assert leaves(curve([looked(4, 4)])) is None
    assert leaves(()) is None


def test_all_threads_together() -> None:
    """A post counts among the chains that are so long; a chain to which nobody did anything tells nothing."""
    steps = curve([looked(10, 5, 5), looked(10, 10), looked(0, 0, 0, 0)])
    assert [(one.readers, one.share) for one in steps] == [(20, 1.0), (15, 0.75), (5, 0.5)]
    assert curve([looked(0)]) == ()
    assert plot(()) is None


@given(st.lists(CHAINS, max_size=5))
def test_a_curve_is_drawn_within_its_frame(chains: list[Looked]) -> None:
    """One chain's curve never rises; whatever the figures, all points are in the drawing, left to right."""
    for one in chains:
        found = came(one)
        assert list(found) == sorted(found, reverse=True)
        assert found[0] == max(max(astuple(each)) for each in one.posts.values())
    drawn = plot(curve(chains))
    if drawn is not None:
        xs = [one.x for one in drawn.points]
        assert xs == sorted(xs)
        assert all(0 <= one.x <= WIDTH and 0 <= one.y <= HEIGHT for one in drawn.points)
        assert len(drawn.labelled) <= 10

"""The curve of readers as a drawing: where each point stands. Pure; a template draws it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from threadcast.bot.readers.figures import Step, leaves

WIDTH: Final = 640
HEIGHT: Final = 200
LEFT: Final = 48  # for the numbers of the axis
BELOW: Final = 24
LABELS: Final = 10  # at most, below the plot


@dataclass(frozen=True, slots=True)
class Point:
    """A step where it stands in the drawing."""

    x: float
    y: float
    step: Step


@dataclass(frozen=True, slots=True)
class Plot:
    """A curve, drawn. `labelled` points have their numbers below it; behind `leaves` most go."""

    points: tuple[Point, ...]
    labelled: tuple[Point, ...]
    leaves: Point | None

    @property
    def line(self) -> str:
        """Return the curve as the points of a polyline."""
        return " ".join(f"{one.x:g},{one.y:g}" for one in self.points)

    @property
    def area(self) -> str:
        """Return what is below the curve, as the points of a polygon."""
        bottom = HEIGHT - BELOW
        first, last = self.points[0], self.points[-1]
        return f"{first.x:g},{bottom} {self.line} {last.x:g},{bottom}"


def plot(steps: Sequence[Step]) -> Plot | None:
    """Return a curve from all readers of the first post, at the top, to nobody; None where there is none."""
    if not steps:
        return None
    wide, high = WIDTH - LEFT - 8, HEIGHT - BELOW - 8
    across = max(len(steps) - 1, 1)
    points = tuple(
        Point(round(LEFT + wide * place / across, 1), round(8 + high * (1 - min(one.share, 1)), 1), one)
        for place, one in enumerate(steps)
    )
    apart = -(-len(points) // LABELS)
    gone = leaves(steps)
    return Plot(points, points[::apart], next((one for one in points if one.step is gone), None))

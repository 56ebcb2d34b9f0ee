"""Draws the diagrams of the pages, which are Mermaid, in the pages that Sphinx builds.

Code hosts draw Mermaid by themselves. Its own program is megabytes of script; ours have boxes and arrows, and
where they stand is decided below. A box without a place is an error of the build.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import escape
from math import dist
from typing import Any, ClassVar

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

Point = tuple[float, float]

HEIGHT, LETTER = 34, 7.4  # of a box, of a letter in it
TIP = 'markerWidth="7" markerHeight="7" orient="auto-start-reverse"><path d="M0 0 8 4 0 8z"/>'
BEND = 28  # of two arrows that lead there and back
START, END = "[*]", "end of [*]"
EDGE = re.compile(r"(?P<source>\[\*\]|[\w-]+) (?P<arrow><?-->) (?P<target>\[\*\]|[\w-]+)(?:: (?P<label>.+))?")
NODE = re.compile(r"(?P<name>[\w-]+)[\[(]+(?P<text>[^\])]+)[\])]+")


@dataclass(frozen=True)
class Layout:
    """Where the boxes of a diagram stand, by their middles, and a label that is not in its arrow's middle."""

    size: tuple[int, int]
    places: dict[str, Point]
    along: dict[tuple[str, str], float] = field(default_factory=dict)


# By the title that a diagram has for those who cannot see it (accTitle).
LAYOUTS = {
    "From a text to its posts": Layout(
        (720, 300),
        {
            "text": (60, 40),
            "parse": (180, 40),
            "attach": (295, 40),
            "add": (405, 40),
            "queue": (520, 40),
            "claim": (640, 100),
            "plan": (640, 170),
            "intend": (640, 240),
            "send": (520, 240),
            "decide": (520, 170),
            "record": (520, 105),
            "channel": (300, 240),
        },
    ),
    "What a worker does": Layout(
        (720, 240),
        {
            START: (22, 120),
            "held": (130, 60),
            "queued": (130, 120),
            "publishing": (360, 120),
            "published": (620, 120),
            "unsure": (620, 200),
            "failed": (620, 40),
        },
    ),
    "What a person asks for": Layout(
        (720, 420),
        {
            "held": (70, 60),
            "queued": (250, 60),
            "published": (640, 60),
            "publishing": (300, 205),
            "failed": (440, 205),
            "unsure": (550, 205),
            "cancelled": (190, 360),
            "withdrawn": (640, 360),
            END: (700, 400),
        },
        along={
            ("held", "cancelled"): 0.35,
            ("cancelled", "held"): 0.35,
            ("failed", "queued"): 0.3,
            ("failed", "withdrawn"): 0.3,
            ("unsure", "withdrawn"): 0.65,
        },
    ),
}


@dataclass
class Diagram:
    """What a Mermaid text says: its title, its boxes, and its arrows with what is written at them."""

    title: str
    texts: dict[str, str] = field(default_factory=dict)
    edges: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    both_ways: set[tuple[str, str]] = field(default_factory=set)

    @classmethod
    def read(cls, source: str) -> "Diagram":
        """Read the part of Mermaid that our pages use: a title, and an arrow or a box a line."""
        _, *lines = filter(None, map(str.strip, source.splitlines()))
        found = cls(title="")
        for line in lines:
            if line.startswith("accTitle: "):
                found.title = line.removeprefix("accTitle: ")
            elif edge := EDGE.fullmatch(line):
                source_, target = edge["source"], edge["target"]
                ends = (source_, END if target == START else target)
                found.edges.setdefault(ends, []).extend(filter(None, [edge["label"]]))
                if edge["arrow"] == "<-->":
                    found.both_ways.add(ends)
            elif node := NODE.fullmatch(line):
                found.texts[node["name"]] = node["text"]
            else:
                raise ValueError(f"docs/diagrams.py cannot draw: {line}")
        return found


def svg(source: str) -> str:
    """Return the picture of a Mermaid text; its colours are those of the page."""
    diagram = Diagram.read(source)
    layout = LAYOUTS[diagram.title]
    width, height = layout.size
    boxes = {name: Box(*place, diagram.texts.get(name, name)) for name, place in layout.places.items()}
    drawn = [
        *_edges(diagram, layout, boxes),
        *(line for name, box in boxes.items() for line in box.drawn(name)),
    ]
    tip = "tip-" + diagram.title.replace(" ", "-").lower()
    return "\n".join(
        [
            f'<div class="diagram" style="--tip: url(#{tip})">',
            f'<svg viewBox="0 0 {width} {height}" width="{width}" role="img">',
            f"<title>{escape(diagram.title)}</title>",
            f'<defs><marker id="{tip}" viewBox="0 0 8 8" refX="7" refY="4" {TIP}</marker></defs>',
            *drawn,
            "</svg></div>",
        ]
    )


@dataclass(frozen=True)
class Box:
    x: float
    y: float
    text: str

    @property
    def half(self) -> Point:
        if self.text in {START, END}:
            return 7, 7
        return max(3, len(self.text) / 2 + 1.5) * LETTER, HEIGHT / 2

    def drawn(self, name: str) -> Iterator[str]:
        """Yield a box with its text, or the dot where all begins or ends."""
        wide, high = self.half
        if name in {START, END}:
            yield f'<circle class="{"start" if name == START else "end"}" cx="{self.x}" cy="{self.y}" r="6"/>'
            return
        at = f'x="{self.x - wide:.1f}" y="{self.y - high}" width="{2 * wide:.1f}" height="{2 * high}"'
        yield f'<rect class="box {name}" {at} rx="8"/>'
        yield f'<text class="name" x="{self.x}" y="{self.y + 4.5}">{escape(self.text)}</text>'

    def edge(self, towards: Point) -> Point:
        """Return the point of the border at which a line to another point leaves."""
        wide, high = self.half
        dx, dy = towards[0] - self.x, towards[1] - self.y
        scale = min(wide / abs(dx) if dx else 1e9, high / abs(dy) if dy else 1e9)
        return self.x + dx * scale, self.y + dy * scale


def _edges(diagram: Diagram, layout: Layout, boxes: dict[str, Box]) -> Iterator[str]:
    for ends, labels in diagram.edges.items():
        one, other = (boxes[name] for name in ends)
        said = ", ".join(labels)
        if one is other:
            yield from _loop(one, said)
            continue
        bend = BEND / dist((one.x, one.y), (other.x, other.y)) if ends[::-1] in diagram.edges else 0
        middle = (
            (one.x + other.x) / 2 + (other.y - one.y) * bend,
            (one.y + other.y) / 2 + (one.x - other.x) * bend,
        )
        (ax, ay), (bx, by) = one.edge(middle), other.edge(middle)
        arrow = "arrow both" if ends in diagram.both_ways else "arrow"
        path = f"M{ax:.1f} {ay:.1f}Q{middle[0]:.1f} {middle[1]:.1f} {bx:.1f} {by:.1f}"
        yield f'<path class="{arrow}" d="{path}"/>'
        t = layout.along.get(ends, 0.5)
        x = (1 - t) ** 2 * ax + 2 * t * (1 - t) * middle[0] + t * t * bx
        y = (1 - t) ** 2 * ay + 2 * t * (1 - t) * middle[1] + t * t * by
        yield from _label(x, y, said)


def _loop(box: Box, said: str) -> Iterator[str]:
    top = box.y - HEIGHT / 2
    path = f"M{box.x - 16} {top}C{box.x - 26} {top - 34} {box.x + 26} {top - 34} {box.x + 16} {top}"
    yield f'<path class="arrow" d="{path}"/>'
    yield from _label(box.x, top - 36, said)


def _label(x: float, y: float, said: str) -> Iterator[str]:
    if said:
        yield f'<text class="event" x="{x:.1f}" y="{y + 4:.1f}">{escape(said)}</text>'


class Mermaid(SphinxDirective):
    """A fence of Mermaid, drawn."""

    has_content: ClassVar[bool] = True

    def run(self) -> list[nodes.Node]:
        """Return the picture, as part of the page."""
        return [nodes.raw("", svg("\n".join(self.content)), format="html")]


def setup(app: Sphinx) -> dict[str, Any]:
    """Let Sphinx draw each fence of Mermaid."""
    app.add_directive("mermaid", Mermaid)
    return {"parallel_read_safe": True}

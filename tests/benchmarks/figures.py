"""What a benchmark found, and how it is shown."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table. Without a target it only tells."""

    what: str
    value: float
    unit: str = ""
    target: float | None = None
    better: Literal["less", "more"] = "less"
    detail: str = ""

    @property
    def met(self) -> bool | None:
        if self.target is None:
            return None
        return self.value <= self.target if self.better == "less" else self.value >= self.target

    def cells(self) -> tuple[str, str, str, str, str]:
        sign = "≤" if self.better == "less" else "≥"
        target = "" if self.target is None else f"{sign} {self.target:g}"
        met = {None: "", True: "yes", False: "NO"}[self.met]
        return self.what, f"{self.value:.3g} {self.unit}".rstrip(), target, met, self.detail


def as_json(figures: Sequence[Figure]) -> str:
    rows = [
        {
            "what": figure.what,
            "value": round(figure.value, 6),
            "unit": figure.unit,
            "target": figure.target,
            "better": figure.better,
            "met": figure.met,
            "detail": figure.detail,
        }
        for figure in figures
    ]
    return json.dumps({"figures": rows}, ensure_ascii=False, indent=2)


def show(figures: Sequence[Figure]) -> None:
    """A coloured table on a terminal; plain columns in a pipe, where nothing is cut."""
    console = Console(highlight=False)
    header = ("figure", "value", "target", "met", "how it was taken")
    rows = [figure.cells() for figure in figures]
    if not console.is_terminal:
        widths = [max(len(row[column]) for row in [header, *rows]) for column in range(len(header))]
        for row in [header, *rows]:
            cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            print("  ".join(cells).rstrip())
        return
    table = Table(box=None, header_style="bold")
    for column in header:
        table.add_column(column)
    for row in rows:
        table.add_row(*row, style="red" if row[3] == "NO" else None)
    console.print(table)

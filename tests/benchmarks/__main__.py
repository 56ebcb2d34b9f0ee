"""`make bench`: how fast Threadcast is, in one table.

    python -m tests.benchmarks [--json] [GROUP…]

The groups are answers, chains, composing, fleet, many, page, queue, resting, shell and simulation. Where
it says so a figure is a ratio of two things that took turns in the same run. No test asserts any of this:
machines differ.
"""

import os
import platform
import sys
from collections.abc import Callable, Iterator

import click

from tests.benchmarks import (
    answers,
    chains,
    composing,
    fleet,
    many,
    page,
    queue_size,
    resting,
    shell,
    simulation,
)
from tests.benchmarks.figures import Figure, as_json, show

GROUPS: dict[str, Callable[[], Iterator[Figure]]] = {
    "answers": answers.figures,
    "chains": chains.figures,
    "composing": composing.figures,
    "fleet": fleet.figures,
    "many": many.figures,
    "page": page.figures,
    "queue": queue_size.figures,
    "resting": resting.figures,
    "shell": shell.figures,
    "simulation": simulation.figures,
}


@click.command()
@click.argument("groups", nargs=-1, type=click.Choice(list(GROUPS)), metavar="[GROUP…]")
@click.option("--json", "in_json", is_flag=True, help="Print JSON.")
def main(groups: tuple[str, ...], in_json: bool) -> None:
    """Measure Threadcast, and say of each figure whether it meets its target."""
    found: list[Figure] = []
    for name in groups or GROUPS:
        if sys.stderr.isatty():
            click.echo(f"measuring: {name} …", err=True)
        found += GROUPS[name]()
    if in_json:
        click.echo(as_json(found))
        return
    # Pythons of one version differ by a quarter: pyenv builds them plainly, distributions to be fast.
    click.echo(f"Python {platform.python_version()} of {sys.base_prefix}, {os.cpu_count()} cores")
    show(found)


if __name__ == "__main__":
    main()

"""The option `--data`, which every command has that has settings: THREADCAST_DATA for this once."""

import os
from collections.abc import Mapping

import click

VARIABLE = "THREADCAST_DATA"


def environment(context: click.Context | None = None) -> Mapping[str, str]:
    """Return the environment of a command (of the one that runs), with what its option says."""
    context = context or click.get_current_context(silent=True)
    named = context.meta.get(VARIABLE) if context else None
    return {**os.environ, VARIABLE: named} if named else os.environ


def _keep(context: click.Context, _parameter: click.Parameter, folder: str | None) -> None:
    if folder:
        context.meta[VARIABLE] = folder


DATA = click.Option(
    ["--data"],
    metavar="FOLDER",
    expose_value=False,
    callback=_keep,
    type=click.Path(file_okay=False),
    help="Work on the queue in this folder.",
)

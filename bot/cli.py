"""The `threadcast` command: its group, and how it ends.

The commands stand in `commands/`, by the kind of request. Each asks the desk and shows its answer; no
rule lives here. What a command exits with is in `shell.Exit`.
"""

import os
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

import click
from click.exceptions import Abort, Exit

from threadcast.bot import shell
from threadcast.bot.commands import adding, changing, keeping, looking, running

EPILOG = """\b
Exit codes: 0 done, 1 a fault of ours, 2 wrong usage,
3 a file, 4 settings, 5 queue, 6 not found, 7 not allowed,
8 a check failed. Colours go with NO_COLOR=1.
"""


class Program(click.Group):
    """A group that says every fault in one sentence on standard error, as JSON where JSON was asked for."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,  # noqa: ARG002  # Click's own; the program always ends here
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> NoReturn:
        """Run, and exit with a code of `shell.Exit`."""
        words = sys.argv[1:] if args is None else list(args)
        try:
            code = self._run(words, prog_name, complete_var, windows_expand_args, extra)
            sys.stdout.flush()  # here, where a reader that has gone away can still be answered
        except BrokenPipeError:
            _forget_output()
            code = shell.Exit.PIPE_CLOSED
        sys.exit(code)

    def _run(
        self,
        words: list[str],
        prog_name: str | None,
        complete_var: str | None,
        windows_expand_args: bool,
        extra: dict[str, Any],
    ) -> int:
        try:
            # Not Click's standalone mode: that answers a reader that has gone away with 1.
            result = super().main(
                words,
                prog_name or "threadcast",
                complete_var,
                standalone_mode=False,
                windows_expand_args=windows_expand_args,
                **extra,
            )
        except click.ClickException as error:
            shell.complain(error, as_json="--json" in words)
            return error.exit_code
        except Exit as error:
            return error.exit_code
        except (Abort, KeyboardInterrupt):
            return shell.Exit.INTERRUPTED
        except BrokenPipeError:
            raise
        except Exception as error:  # noqa: BLE001  # the last place to say it in a person's words
            shell.confess(error, as_json="--json" in words)
            return shell.Exit.FAULT
        return result if isinstance(result, int) else shell.Exit.DONE


def _forget_output() -> None:
    """Nobody reads on: what is still to be written goes nowhere, also when Python ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())


@click.group(
    cls=Program,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=EPILOG,
)
@click.version_option(package_name="threadcast", message="threadcast %(version)s")
@click.pass_context
def cli(context: click.Context) -> None:
    """Publish long numbered threads as reply chains on Telegram and Mastodon.

    \b
    Begin with:
      threadcast preview FILE  what each channel would show
      threadcast add FILE      queue a file's threads
      threadcast run           the service that publishes
      threadcast queue         what waits, and until when

    Without a command: how things stand, and what to do next.

    Settings are THREADCAST_… environment variables, or lines of a .env file in the working folder.
    """
    if context.invoked_subcommand is None:
        looking.show_state()


for command in (
    *(running.run, adding.add, adding.preview),
    *(looking.queue, looking.show, looking.history, looking.channels, looking.events, looking.export),
    *changing.COMMANDS,
    *(running.check, running.config, running.migrate, keeping.backup, keeping.restore),
    *(running.completion, running.demo),
):
    cli.add_command(command)


def main() -> None:
    """The `threadcast` command."""
    cli(prog_name="threadcast")

"""The `threadcast` command: its group, and how it ends.

The commands stand in `commands/`, by the kind of request. Each asks the requests and shows its answer; no
rule lives here. What a command exits with is in `shell.Exit`.
"""

import difflib
import os
import sys
import threading
from collections.abc import Sequence
from typing import Any, NoReturn

import click
from click.exceptions import Abort, Exit
from click.shell_completion import shell_complete

from threadcast.bot.shell import completion
from threadcast.bot.shell import context as shell
from threadcast.bot.shell.commands import adding, changing, keeping, looking, ordering, running, stopping

JOIN = 0.5  # seconds in which a thread that has nothing to do has ended

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
        complete_var: str | None = None,  # noqa: ARG002  # ours is the one that the scripts name
        standalone_mode: bool = True,  # noqa: ARG002  # the program always ends here
        windows_expand_args: bool = True,  # noqa: ARG002
        **extra: Any,
    ) -> NoReturn:
        """Run, and exit with a code of `shell.Exit`. Click's own way answers a closed pipe with 1."""
        words = sys.argv[1:] if args is None else list(args)
        try:
            code = self._run(words, prog_name or str(self.name), extra)
            sys.stdout.flush()  # here, where a reader that has gone away can still be answered
        except BrokenPipeError:
            _forget_output()
            code = shell.Exit.PIPE_CLOSED
        sys.exit(code)

    def _run(self, words: list[str], prog_name: str, extra: dict[str, Any]) -> int:
        try:
            if instruction := os.environ.get(completion.VARIABLE):
                return shell_complete(self, extra, prog_name, completion.VARIABLE, instruction)
            with self.make_context(prog_name, words, **extra) as context:
                self.invoke(context)
        except click.ClickException as error:
            shell.complain(error, as_json="--json" in words)
            return error.exit_code
        except Exit as error:
            return error.exit_code
        except (Abort, KeyboardInterrupt):
            click.echo(err=True)  # a line of its own for the ^C that the terminal shows
            return shell.Exit.INTERRUPTED
        except BrokenPipeError:
            raise
        except Exception as error:  # noqa: BLE001  # the last place to say it in a person's words
            shell.confess(error, as_json="--json" in words)
            return shell.Exit.FAULT
        return shell.Exit.DONE

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that is meant; where there is none, the nearest name is told."""
        if not ctx.resilient_parsing and args[0] not in self.commands and not args[0].startswith("-"):
            near = difflib.get_close_matches(args[0], self.commands, n=1)
            ctx.fail(f"there is no command {args[0]}{f'; did you mean {near[0]}?' if near else '.'}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """The commands by what they are about."""
        width = max(len(name) for name in self.commands)
        for title, commands in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl(
                    [
                        (str(one.name).ljust(width), one.get_short_help_str(formatter.width))
                        for one in commands
                    ]
                )


def _forget_output() -> None:
    """Nobody reads on: what is still to be written goes nowhere, also when Python ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())


@click.group(
    "threadcast",
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


# As the help lists them.
SECTIONS: dict[str, tuple[click.Command, ...]] = {
    "Threads": (adding.add, adding.preview, looking.show, looking.export, adding.adopt),
    "The queue": (looking.queue, *ordering.COMMANDS, *changing.COMMANDS, stopping.skip, stopping.undo),
    "Looking back": (looking.history, looking.events, stopping.audit),
    "The service": (running.run, running.check, running.config, looking.channels),
    "The database": (running.migrate, keeping.backup, keeping.restore),
    "To begin with": (running.demo, running.completion),
}
for command in (one for section in SECTIONS.values() for one in section):
    cli.add_command(command)


def main() -> None:
    """Run the `threadcast` command.

    Python would wait at its exit for a call that blocks a thread, as long as its server takes, though
    nobody waits for the answer any more.
    """
    try:
        cli(prog_name="threadcast")
    except SystemExit as end:
        for thread in threading.enumerate():
            if thread is not threading.current_thread() and not thread.daemon:
                thread.join(JOIN)
                if thread.is_alive():
                    sys.stderr.flush()
                    os._exit(end.code if isinstance(end.code, int) else 1)
        raise

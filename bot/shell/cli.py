"""The `threadcast` command: its group, and how it ends.

A command's module is imported when the command is asked for, so that `--help` stays fast.
"""

import difflib
import os
import sys
import threading
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any, NoReturn

import click
from click.exceptions import Abort
from click.shell_completion import CompletionItem, shell_complete

from threadcast.bot.shell.exits import Exit

JOIN = 0.5  # seconds in which a thread that has nothing to do has ended
COMPLETE = "_THREADCAST_COMPLETE"
EPILOG = """\b
Exit codes: 0 done, 1 a fault of ours, 2 wrong usage,
3 a file, 4 settings, 5 queue, 6 not found, 7 not allowed,
8 a check failed. Colours go with NO_COLOR=1.
"""

# As the help lists them: each command's module in `commands`, and the first sentence of its help.
SECTIONS: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "Threads": {
        "add": ("threads", "Queue the threads of text files."),
        "preview": ("threads", "Show each channel's posts as they will be."),
        "show": ("threads", "Show one thread, every post on every channel."),
        "export": ("threads", "Give a thread back as text."),
        "adopt": ("threads", "Take over a chain that was begun by hand."),
    },
    "The queue": {
        "queue": ("queue", "List what waits, and until when."),
        "publish": ("queue", "Let a held thread go, or any waiting one at once."),
        "move": ("queue", "Change the order of the queue."),
        "pause": ("channels", "Publish nothing more on a channel, or on all."),
        "resume": ("channels", "Let paused channels go on."),
        "edit": ("threads", "Change the text of a thread that has not begun."),
        "remove": ("threads", "Forget a thread of which nothing was sent."),
        "hold": ("queue", "Keep a queued thread back."),
        "release": ("queue", "Let a held thread go."),
        "cancel": ("queue", "Take a thread out of the queue for good."),
        "retry": ("queue", "Go on with a stopped thread."),
        "settle": ("queue", "Say whether a doubtful post is out."),
        "skip": ("queue", "Leave a refused post out, and go on behind it."),
        "undo": ("history", "Take a thread's posts down, the newest first."),
    },
    "Looking back": {
        "history": ("history", "List what was published or stopped, newest first."),
        "events": ("history", "List what happened: when, who, what."),
        "audit": ("history", "Compare a published chain with what the network shows."),
    },
    "The service": {
        "run": ("service", "Run the service until SIGTERM or Ctrl-C."),
        "check": ("service", "Check settings, database and channels."),
        "config": ("service", "Show the settings in force, and from where."),
        "channels": ("channels", "List the channels, configured and remembered."),
    },
    "The database": {
        "migrate": ("database", "Bring the database's tables up to date."),
        "backup": ("database", "Copy the queue into a new FILE."),
        "restore": ("database", "Put a backup in the place of the queue."),
    },
    "To begin with": {
        "demo": ("service", "Publish sample threads on this machine alone."),
        "completion": ("service", "Print the script that completes at the Tab key."),
    },
}
COMMANDS = {name: about for section in SECTIONS.values() for name, about in section.items()}


class Program(click.Group):
    """The group of all commands, which says every fault in one sentence on standard error."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,  # noqa: ARG002  # ours has a fixed name
        standalone_mode: bool = True,  # noqa: ARG002  # the program always ends here
        windows_expand_args: bool = True,  # noqa: ARG002
        **extra: Any,
    ) -> NoReturn:
        """Run, and exit with an `Exit`. Click's own way answers a closed pipe with 1."""
        words = sys.argv[1:] if args is None else list(args)
        try:
            code = self._run(words, prog_name or str(self.name), extra)
            sys.stdout.flush()  # here, where a reader that has gone away can still be answered
        except BrokenPipeError:
            # Nobody reads on: what is still to be written goes nowhere, also when Python ends.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            code = Exit.PIPE_CLOSED
        sys.exit(code)

    def _run(self, words: list[str], prog_name: str, extra: dict[str, Any]) -> int:
        try:
            if instruction := os.environ.get(COMPLETE):
                return shell_complete(self, extra, prog_name, COMPLETE, instruction)
            with self.make_context(prog_name, words, **extra) as context:
                self.invoke(context)
        except click.exceptions.Exit as error:
            return error.exit_code
        except (Abort, KeyboardInterrupt):
            click.echo(err=True)  # a line of its own for the ^C that the terminal shows
            return Exit.INTERRUPTED
        except BrokenPipeError:
            raise
        except Exception as error:  # noqa: BLE001  # the last place to say it in a person's words
            faults = import_module("threadcast.bot.shell.faults")
            return int(faults.report(error, as_json="--json" in words))
        return Exit.DONE

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands."""
        return sorted({*COMMANDS, *super().list_commands(ctx)})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command, from its module; None where there is none of that name."""
        if cmd_name not in COMMANDS:
            return super().get_command(ctx, cmd_name)
        module = import_module(f"threadcast.bot.shell.commands.{COMMANDS[cmd_name][0]}")
        command = getattr(module, cmd_name)
        assert isinstance(command, click.Command)  # noqa: S101  # COMMANDS says so
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that is meant; where there is none, say the nearest name."""
        names = self.list_commands(ctx)
        if not ctx.resilient_parsing and args[0] not in names and not args[0].startswith("-"):
            near = difflib.get_close_matches(args[0], names, n=1)
            ctx.fail(f"there is no command {args[0]}{f'; did you mean {near[0]}?' if near else '.'}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """List the commands by what they are about, without importing them."""
        width = max(map(len, COMMANDS))
        for title, commands in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(name.ljust(width), about) for name, (_, about) in commands.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Return the commands and options that begin so, without importing a command."""
        commands = [
            CompletionItem(name, help=about)
            for name, (_, about) in sorted(COMMANDS.items())
            if name.startswith(incomplete)
        ]
        return [*commands, *click.Command.shell_complete(self, ctx, incomplete)]


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
        import_module("threadcast.bot.shell.commands.queue").show_overview()


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

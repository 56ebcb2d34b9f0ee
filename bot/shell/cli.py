"""The `threadcast` command: its group, and how it ends.

A command's module is imported when the command is asked for, so that `--help` stays fast.
"""

import errno
import gc
import os
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib import import_module
from io import TextIOWrapper
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

import click
from click.exceptions import Abort
from click.shell_completion import CompletionItem, shell_complete

from threadcast.bot.languages import DEFAULT, _, asked_by, speaking
from threadcast.bot.shell.data_option import DATA
from threadcast.bot.shell.exits import Exit
from threadcast.bot.words import SHELL, only_looks, other_words

UNWRITABLE = (errno.ENOSPC, errno.EIO)  # how writing an answer fails
JOIN = 0.5  # seconds in which a thread that has nothing to do has ended
COMPLETE = "_THREADCAST_COMPLETE"
EPILOG = """\b
Exit codes: 0 done, 1 a fault of ours, 2 wrong usage,
3 a file, 4 settings, 5 queue, 6 not found, 7 not allowed,
8 a check failed, 9 no output. Colours go with NO_COLOR=1.
"""

MORE = "More"
# As the help lists them: each command's module in `commands`, and the first sentence of its help.
SECTIONS: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "Publish": {
        "setup": ("operating.setup", "Set up bot, owner, channels, and try them."),
        "run": ("operating.service", "Run the service until SIGTERM or Ctrl-C."),
        "preview": ("adding", "Show each channel's posts as they will be."),
        "add": ("adding", "Queue the threads of text files."),
        "publish": ("queue", "Let a held thread go, or any waiting one at once."),
        "at": ("queue", "Give a thread a time of its own."),
        "retry": ("queue", "Go on with a stopped thread."),
    },
    "Look": {
        "queue": ("queue", "List what waits, and until when."),
        "status": ("operating.status", "Say how things stand, and which machines work."),
        "show": ("threads", "Show one thread, every post on every channel."),
        "open": ("threads", "Open a thread's first post in the browser."),
        "page": ("operating.service", "Print a link that opens the page."),
        "history": ("history", "List what was published or stopped, newest first."),
        "logs": ("operating.logs", "Show what the service wrote lately."),
        "check": ("operating.service", "Check settings, database and channels."),
    },
    "Stop": {
        "hold": ("queue", "Keep a queued thread back."),
        "stop": ("queue", "End a chain that is going out, after the post in hand."),
        "pause": ("channels", "Publish nothing more on a channel, or on all."),
        "resume": ("channels", "Let paused channels go on."),
        "cancel": ("queue", "Take a thread out of the queue for good."),
        "undo": ("history", "Take a thread's posts down, the newest first."),
    },
    "Keep": {
        "edit": ("editing", "Change the text of a thread, and what of it is out."),
        "set": ("settings", "Change settings of a thread that has not begun."),
        "export": ("threads", "Give a thread back as text, or all there is."),
        "backup": ("operating.database", "Copy the queue into a new FILE."),
        "restore": ("operating.database", "Put a backup in the place of the queue."),
        "import": ("operating.database", "Take an export of a whole queue into an empty one."),
    },
    MORE: {
        "adopt": ("adding", "Take over a chain that was begun by hand."),
        "audit": ("history", "Compare a published chain with what the network shows."),
        "channels": ("channels", "List the channels, configured and remembered."),
        "completion": ("operating.service", "Print the script that completes at the Tab key."),
        "config": ("operating.service", "Show the settings in force, and from where."),
        "doctor": ("operating.doctor", "Collect what an issue needs, with no secret in it."),
        "demo": ("operating.service", "Publish sample threads on this machine alone."),
        "events": ("history", "List what happened: when, who, what."),
        "mcp": ("operating.mcp", "Offer tools to an assistant on this machine."),
        "migrate": ("operating.database", "Bring the database's tables up to date."),
        "move": ("queue", "Change the order of the queue."),
        "pair": ("operating.service", "Print a link: who opens it steers the bot."),
        "release": ("queue", "Let a held thread go."),
        "remove": ("threads", "Forget a thread of which nothing was sent."),
        "share": ("operating.service", "Print a link by which somebody approves a held thread."),
        "settle": ("queue", "Say whether a doubtful post is out."),
        "skip": ("queue", "Leave a refused post out, and go on behind it."),
        "token": ("operating.tokens", "Let programs use the API."),
    },
}
WITHOUT_QUEUE = frozenset({"completion", "demo"})
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
        _prepare_output()
        # What programs read is in one language, whoever runs them.
        language = DEFAULT if "--json" in words else asked_by(os.environ)
        try:
            with speaking(language):
                code = self._run(words, prog_name or str(self.name), extra)
            sys.stdout.flush()  # here, where a reader that has gone away can still be answered
        except BrokenPipeError:
            code = Exit.PIPE_CLOSED
            _forget_output()
        except OSError as error:  # the disk is full, or the terminal is gone
            code = Exit.OUTPUT
            _forget_output()
            with suppress(OSError):
                with speaking(language):
                    said = _("the answer cannot be written: {cause}").format(cause=error.strerror)
                click.echo(f"threadcast: {said}", err=True)
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
        except Exception as error:  # the last place to say it in a person's words
            if isinstance(error, OSError) and error.errno in UNWRITABLE:
                raise
            faults = import_module("threadcast.bot.shell.faults")
            return int(faults.report(error, as_json="--json" in words))
        return Exit.DONE

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command. Click does not tell in which one an option is used wrongly: say it."""
        try:
            return super().invoke(ctx)
        except click.UsageError as error:
            if error.ctx is None and ctx.invoked_subcommand:
                command = self.get_command(ctx, ctx.invoked_subcommand)
                error.ctx = click.Context(command, ctx, ctx.invoked_subcommand) if command else ctx
            raise

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands."""
        return sorted({*COMMANDS, *super().list_commands(ctx)})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command, from its module; None where there is none of that name."""
        if cmd_name not in COMMANDS:
            return super().get_command(ctx, cmd_name)
        module = _imported(f"threadcast.bot.shell.commands.{COMMANDS[cmd_name][0]}")
        command = getattr(module, cmd_name, None) or getattr(module, f"{cmd_name}_")
        assert isinstance(command, click.Command)  # noqa: S101  # COMMANDS says so
        if cmd_name not in WITHOUT_QUEUE and DATA not in command.params:
            command.params.append(DATA)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that is meant, by a word of other programs too where that only looks.

        Where there is none, say which may be meant.
        """
        names = self.list_commands(ctx)
        if not ctx.resilient_parsing and args[0] not in names and not args[0].startswith("-"):
            meant = other_words({*names, "--help"}, SHELL).get(args[0].lower(), ())
            if only_looks(meant):
                return super().resolve_command(ctx, [meant[0], *args[1:]])
            from difflib import get_close_matches  # noqa: PLC0415  # only where somebody mistyped

            near = meant or get_close_matches(args[0], names, n=1)
            said = _("there is no command {name}").format(name=args[0])
            ctx.fail(f"{said}; {did_you_mean(near)}" if near else f"{said}.")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """List the commands by what they are about, without importing them."""
        width = max(len(name) for title, commands in SECTIONS.items() if title != MORE for name in commands)
        for title, commands in SECTIONS.items():
            with formatter.section(title):
                if title == MORE:
                    formatter.write_text(f"{', '.join(commands)}: threadcast COMMAND --help")
                else:
                    formatter.write_dl(
                        [(name.ljust(width), about) for name, (_module, about) in commands.items()]
                    )

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Return the commands and options that begin so, without importing a command."""
        commands = [
            CompletionItem(name, help=about)
            for name, (_module, about) in sorted(COMMANDS.items())
            if name.startswith(incomplete)
        ]
        return [*commands, *click.Command.shell_complete(self, ctx, incomplete)]


def _imported(name: str) -> ModuleType:
    """Import a module, and all that it needs: most of the time that a command takes."""
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")  # it would look for some in every package
    gc.disable()  # what is imported stays: looking through it for garbage took a sixth of the time
    try:
        return import_module(name)
    finally:
        gc.freeze()
        gc.enable()


def did_you_mean(near: Sequence[str]) -> str:
    """Return the question whether one of these is meant."""
    *most, last = near
    if not most:
        return _("did you mean {name}?").format(name=last)
    return _("did you mean {most} or {last}?").format(most=", ".join(most), last=last)


def _prepare_output() -> None:
    """Write ? for what the output's encoding cannot hold, and nothing where there is no output (`>&-`)."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115  # until the process ends
        elif isinstance(stream, TextIOWrapper) and name == "stdout":
            stream.reconfigure(errors="replace")


def _forget_output() -> None:
    """Let what is still to be written go nowhere, also when Python ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@click.group(
    "threadcast",
    cls=Program,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=EPILOG,
    params=[DATA],
)
@click.version_option(package_name="threadcast", message="threadcast %(version)s")
@click.pass_context
def cli(context: click.Context) -> None:
    """Publish long numbered threads as reply chains on Telegram and Mastodon.

    \b
    Begin with:
      threadcast setup         asks for all that is needed
      threadcast preview FILE  what each channel would show
      threadcast add FILE      queue a file's threads
      threadcast run           the service that publishes
      threadcast queue         what waits, and until when

    Without a command: how things stand, and what to do next.

    Settings are THREADCAST_… environment variables, or lines of a .env file: in the working folder, else
    ~/.config/threadcast/.env.
    """
    if context.invoked_subcommand is None:
        _imported("threadcast.bot.shell.commands.operating.status").show_overview()


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

"""How a fault is said: one sentence on standard error, or one JSON object where JSON was asked for."""

import json
import os
import traceback
from contextlib import suppress

import click

from threadcast.bot.data_folder import AlreadyRunningError
from threadcast.bot.plain import plain
from threadcast.bot.requests.errors import UnknownChannelError
from threadcast.bot.requests.input import InputError
from threadcast.bot.shell.context import ThreadNumber, ThreadNumbers, load_settings
from threadcast.bot.shell.exits import Exit
from threadcast.bot.wording import SHELL, sentence
from threadcast.config.logs import redact
from threadcast.config.settings import SettingsError
from threadcast.queue.errors import BackupError, NotAllowedError, NotFoundError, StoreError

CODES: dict[type[Exception], Exit] = {
    InputError: Exit.INPUT,
    SettingsError: Exit.CONFIGURATION,
    AlreadyRunningError: Exit.QUEUE,
    NotFoundError: Exit.NOT_FOUND,
    BackupError: Exit.INPUT,
    StoreError: Exit.QUEUE,
    UnknownChannelError: Exit.NOT_FOUND,
    NotAllowedError: Exit.NOT_ALLOWED,
}


def report(error: Exception, *, as_json: bool) -> int:
    """Say what is wrong and how to go on; return what to exit with."""
    if isinstance(error, click.ClickException):
        message, code = _usage(error), error.exit_code
    else:
        known = next((code for kind, code in CODES.items() if isinstance(error, kind)), None)
        message, code = (
            (_broken(error), Exit.FAULT) if known is None else (redact(sentence(error, SHELL)), known)
        )
    if as_json:
        fault = {"error": {"code": code, "message": message}}
        click.echo(json.dumps(fault, ensure_ascii=False), err=True)
    else:
        colourless = bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"
        name = "threadcast:" if colourless else click.style("threadcast:", fg="red")
        click.echo(f"{name} " + "\n".join(plain(line) for line in message.split("\n")), err=True)
    return code


def _usage(error: click.ClickException) -> str:
    message = error.format_message()
    if isinstance(error, click.NoSuchOption):
        near = f"; did you mean {error.possibilities[0]}?" if error.possibilities else ""
        message = f"there is no option {error.option_name}{near}"
    if isinstance(error, click.MissingParameter) and error.param is not None:
        message = _missing(error.param)
    if isinstance(error, click.UsageError) and error.ctx is not None:
        end = "" if message.endswith(("?", ".")) else "."
        message = f"{message}{end} See: {error.ctx.command_path} --help"
    return message


def _missing(parameter: click.Parameter) -> str:
    """Return what has to be typed that was not."""
    if isinstance(parameter, click.Option):
        return f"say {max(parameter.opts, key=len)} {parameter.metavar or ''}".rstrip()
    if isinstance(parameter.type, (ThreadNumber, ThreadNumbers)):
        return "say which thread: threadcast queue and threadcast history list their numbers"
    if isinstance(parameter.type, click.Choice):
        return f"say which: {', '.join(parameter.type.choices)}"
    choices = (parameter.metavar or str(parameter.name).upper()).replace("…", "").split("|")
    names = {"FILE": "a FILE", "-": "- for standard input", "ID": "the ID of a thread"}
    return f"name {' or '.join(names.get(choice, choice) for choice in choices)}"


def _broken(error: Exception) -> str:
    """Return that the fault is ours; at the log level `debug`, print where it happened."""
    debug = False
    with suppress(SettingsError):
        debug = load_settings().log_level == "debug"
    if debug:
        click.echo(redact("".join(traceback.format_exception(error))).rstrip(), err=True)
    step = "" if debug else "; to see where, run it again with THREADCAST_LOG_LEVEL=debug"
    return f"something broke ({type(error).__name__}): this is a fault of ours{step}"

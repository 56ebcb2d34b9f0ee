"""How a fault is said: one sentence on standard error, or one JSON object where JSON was asked for."""

import json
import os
import traceback
from contextlib import suppress

import click

from threadcast.bot.data_folder import AlreadyRunningError
from threadcast.bot.languages import _
from threadcast.bot.plain import plain
from threadcast.bot.requests.errors import InputError, UnknownChannelError
from threadcast.bot.shell.cli import did_you_mean
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
        message = _("there is no option {name}").format(name=error.option_name)
        if error.possibilities:
            message += f"; {did_you_mean(error.possibilities[:1])}"
    if isinstance(error, click.MissingParameter) and error.param is not None:
        message = _missing(error.param)
    elif isinstance(error, click.BadOptionUsage) and (option := _used_wrongly(error)):
        message = _missing(option)
    elif isinstance(error, click.BadParameter) and (what := _named(error)):
        kind = error.param.type if error.param else None
        why = _which(kind) if isinstance(kind, click.Choice) else error.message
        message = _("invalid value for {what}: {why}").format(what=what, why=why)
    if isinstance(error, click.UsageError) and error.ctx is not None:
        end = "" if message.endswith(("?", ".")) else "."
        see = _("See: {command}").format(command=f"{error.ctx.command_path} --help")
        message = f"{message}{end} {see}"
    return message


def _used_wrongly(error: click.BadOptionUsage) -> click.Option | None:
    """Return the option that lacks its value, or has one and takes none."""
    for option in error.ctx.command.params if error.ctx else ():
        if isinstance(option, click.Option) and error.option_name in option.opts:
            return option
    return None


def _named(error: click.BadParameter) -> str:
    """Return how the option or argument is written in which something is wrong."""
    hint = error.param_hint or (error.param.get_error_hint(error.ctx) if error.param and error.ctx else "")
    return hint if isinstance(hint, str) else " / ".join(hint)


def _which(choice: "click.Choice[str]") -> str:
    return _("say which: {names}").format(names=", ".join(choice.choices))


def _missing(parameter: click.Parameter) -> str:
    """Return what has to be typed that was not."""
    if isinstance(parameter, click.Option):
        option = f"{max(parameter.opts, key=len)} {parameter.metavar or ''}".rstrip()
        return _("say {option}").format(option=option)
    if isinstance(parameter.type, (ThreadNumber, ThreadNumbers)):
        return _("say which thread: threadcast queue and threadcast history list their numbers")
    if isinstance(parameter.type, click.Choice):
        return _which(parameter.type)
    choices = (parameter.metavar or str(parameter.name).upper()).replace("…", "").split("|")
    names = {"FILE": _("a FILE"), "-": _("- for standard input"), "ID": _("the ID of a thread")}
    wanted, *others = [names.get(choice, choice) for choice in choices]
    for other in others:
        wanted = _("{one} or {other}").format(one=wanted, other=other)
    return _("name {wanted}").format(wanted=wanted)


def _broken(error: Exception) -> str:
    """Return that the fault is ours; at the log level `debug`, print where it happened."""
    debug = False
    with suppress(SettingsError):
        debug = load_settings().log_level == "debug"
    if debug:
        click.echo(redact("".join(traceback.format_exception(error))).rstrip(), err=True)
    said = (
        _("something broke ({error}): this is a fault of ours")
        if debug
        else _(
            "something broke ({error}): this is a fault of ours; "
            "to see where, run it again with THREADCAST_LOG_LEVEL=debug"
        )
    )
    return said.format(error=type(error).__name__)

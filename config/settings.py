"""The environment, read once: one frozen Settings, or one error that lists all that is wrong.

Every variable begins with `THREADCAST_`; `__` goes one level down. `variables()` is the whole list.
"""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, GetPydanticSchema, ValidationError
from pydantic_core.core_schema import any_schema

from threadcast.config.channels import CHANNEL_VARIABLES, CHANNELS, ChannelSettings, LocalChannelSettings
from threadcast.config.documented import DELIMITER, PLACE, PREFIX, Doc, Variable, nearest, variables_of
from threadcast.config.environment import (
    CHANNELS_FILE,
    SECRETS_DIR,
    Given,
    Problem,
    SettingsError,
    channel_variable,
    gather,
    missing,
    misspelt,
)
from threadcast.config.folders import DATA
from threadcast.config.logs import MASK, conceal, redact
from threadcast.config.media import AMBIENT, MediaSecret, MediaUrl
from threadcast.config.proxies import DIRECT, Proxies, proxies_of
from threadcast.config.proxies import FORMS as PROXY_FORMS
from threadcast.config.telegram import TelegramSettings
from threadcast.config.types import (
    AdviceError,
    AnyCase,
    DatabaseUrl,
    Duration,
    Folder,
    TimeZone,
    nearest_zone,
    passwords_of,
    time_zone,
)
from threadcast.config.web import HookSettings, WebSettings

__all__ = ["Settings", "SettingsError", "TelegramSettings", "load", "variables"]

# One whose second half cannot be a common word.
_BOT_TOKEN = re.compile(r"[0-9]+:[A-Za-z0-9_-]{20,}")

# With one of these the owner has said where the queue is, or what it is for.
CHOICES = frozenset({"data", "database_url", "channels", "telegram"})
DEFAULT_CHANNEL: ChannelSettings = LocalChannelSettings(name="local")
DATABASE = "queue.sqlite3"
_DATABASE_URL = f"{PREFIX}DATABASE_URL"

_CHECKED = GetPydanticSchema(lambda *_: any_schema())  # each by itself, as its kind


class Settings(BaseModel):
    """All settings in force. Made by `load`; made by hand, it takes its arguments and reads nothing.

    `data` is where local files live; the service makes the folder, for its owner only. `database_url`
    is as given. Channels are in the order of their names.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    data: Annotated[
        Path,
        Folder,
        Doc(
            "the folder for the queue, the local timeline and other files",
            "a folder's path",
            "/var/lib/threadcast",
            f"{DATA} in the working folder, where that has one or a .env; else ~/.local/share/threadcast",
        ),
    ]
    database_url: Annotated[
        DatabaseUrl,
        Doc(
            "the queue's database; DATABASE_URL is read where this is not set",
            "postgresql://…, postgres://… or sqlite:///path/of/a/file",
            "postgresql://user:password@127.0.0.1/threadcast",
            f"a SQLite file, {DATABASE} in the data folder",
        ),
    ]
    timezone: Annotated[
        TimeZone,
        Doc(
            "the time zone that times are given and shown in",
            "a time zone's name",
            "Europe/Berlin",
            "UTC",
            nearest_zone,
        ),
    ] = time_zone("UTC")
    language: Annotated[
        Literal["en", "de", "es", "fr", "ru", "uk"] | None,
        AnyCase,
        Doc("the language that chat, page and shell speak to everybody", "", "de", "each person's"),
    ] = None
    media_url: MediaUrl = ""
    media_secret: MediaSecret = None
    intake: Annotated[
        Path | None,
        Folder,
        Doc(
            "a folder whose .txt, .md and .zip files are added, "
            "as are those in its folders named like channels",
            "a folder's path, not that of the data folder",
            "/srv/threads",
        ),
    ] = None
    settle_after: Annotated[
        Duration | None,
        Doc(
            "how long after a send without an answer its post is looked for, and if need be once more",
            "a duration such as 30s",
            "30s",
            "1m on Telegram; 10s, then 1m on Mastodon",
        ),
    ] = None
    telegram: TelegramSettings = TelegramSettings()
    web: WebSettings = WebSettings()
    hooks: HookSettings = HookSettings()
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"],
        AnyCase,
        Doc.choice("what is logged, from this level up", "debug"),
    ] = "info"
    log_format: Annotated[
        Literal["auto", "console", "json"],
        AnyCase,
        Doc.choice(
            "how log lines look: auto is text on a terminal and JSON in a pipe; console is text, json JSON",
            "json",
        ),
    ] = "auto"
    channels: Annotated[tuple[ChannelSettings, ...], _CHECKED] = ()
    # Whether somebody said where the queue is, or what it is for; else none is begun unasked.
    chosen: bool = True
    proxies: Proxies = DIRECT

    @property
    def chatting(self) -> bool:
        """Whether the service takes commands in a chat."""
        return self.telegram.listen and self.telegram.token is not None

    @property
    def has_channels(self) -> bool:
        """Whether its owner configured a channel; without, there is a local one."""
        return self.channels != (DEFAULT_CHANNEL,)

    def secrets(self) -> tuple[str, ...]:
        """Return every secret value, for redaction; of a bot's token, what follows its number as well."""
        tokens = [self.telegram.token, self.media_secret, self.hooks.secret]
        tokens += (getattr(channel, "token", None) for channel in self.channels)
        values = [token.get_secret_value() for token in tokens if token is not None]
        values += [value.partition(":")[2] for value in values if _BOT_TOKEN.fullmatch(value)]
        passwords = passwords_of(self.database_url.get_secret_value())
        return tuple(dict.fromkeys((*values, *passwords, *self.proxies.secrets())))


def variables() -> tuple[Variable, ...]:
    """Return every variable, in the order in which an owner meets them."""
    telegram = variables_of(TelegramSettings, prefix=f"{PREFIX}TELEGRAM{DELIMITER}", group="Telegram")
    web = variables_of(WebSettings, prefix=f"{PREFIX}WEB{DELIMITER}", group="Page")
    hooks = variables_of(HookSettings, prefix=f"{PREFIX}HOOKS{DELIMITER}", group="Hooks")
    service = variables_of(Settings, prefix=PREFIX, group="Service")
    return (*service, *_FILES, *web, *hooks, *telegram, *_channel_variables())


_FILES = tuple(
    Variable(name, meaning, expected, example, default="", secret=False, group="Service")
    for name, meaning, expected, example in (
        (
            SECRETS_DIR,
            "a folder with a file for each secret, named like its variable",
            "a folder that can be read",
            "/run/secrets",
        ),
        (
            CHANNELS_FILE,
            "a TOML file with a table for each channel, whose keys are those of its variables",
            "a TOML file that can be read",
            "channels.toml",
        ),
    )
)

_READ = {file.name for file in _FILES}  # what they hold stands among the variables


def _channel_variables() -> Iterator[Variable]:
    """Return those of every channel first, then those of each kind."""
    kinds = list(CHANNEL_VARIABLES.values())
    shared = [field for field in kinds[0] if all(field in kind for kind in kinds)]
    yield from (replace(kinds[0][field], group="Every channel") for field in shared)
    for kind in kinds:
        yield from (variable for field, variable in kind.items() if field not in shared)


def load(environ: Mapping[str, str], *, folder: Path) -> Settings:
    """Return the settings that an environment gives, with `.env` and secrets from files added.

    `folder` is the working folder; `find_folders` says where `.env` and the data are. Relative paths begin
    at the working folder, in `.env` at its own. With no channel given there is one local channel, `local`.
    What is secret is concealed from now on. Raises SettingsError.
    """
    known = {variable.name: variable for variable in variables()}
    given, problems, folders = gather(environ, folder, known)
    # Before anything is said: a token may stand where it does not belong, too.
    conceal(each.value for name, each in given.items() if name.endswith(("TOKEN", "SECRET")))
    conceal(environ.get(name, "") for name in AMBIENT)
    unknown = misspelt(given, known)
    problems += unknown.values()
    given = {name: each for name, each in given.items() if name not in unknown and name not in _READ}

    values = _nested(given)
    values["chosen"] = not values.keys().isdisjoint(CHOICES)
    written = given.get(f"{PREFIX}DATA")
    data = folders.data if written is None else written.path(environ)
    values["data"] = str(data)
    if (written := given.get(f"{PREFIX}INTAKE")) is not None:
        intake = written.path(environ)
        values["intake"] = str(intake)
        if _same(intake, data):
            problems.append(_problem(given, f"{PREFIX}INTAKE", known[f"{PREFIX}INTAKE"]))
    written = given.get(_DATABASE_URL)
    values["database_url"] = written.whole_url() if written else f"sqlite:///{data}/{DATABASE}"
    shared_token = values.get("telegram", {}).get("token")
    raw_channels = values.pop("channels", None) or {DEFAULT_CHANNEL.name: {"kind": DEFAULT_CHANNEL.kind}}
    channels: list[ChannelSettings] = []
    for name, raw in sorted(raw_channels.items()):
        channel = _channel(name, raw, shared_token, given)
        if isinstance(channel, list):
            problems += channel
        else:
            channels.append(channel)
    problems += _clashes(channels, raw_channels, given)

    proxies = proxies_of(environ)
    if isinstance(proxies, Proxies):
        values["proxies"] = proxies
    elif any(channel.kind != "local" for channel in channels) or "telegram" in values:
        problems.append(Problem(proxies, f"expected {PROXY_FORMS}"))

    settings: Settings | None = None
    try:
        settings = Settings(**values, channels=tuple(channels))
    except ValidationError as error:
        problems += [_problem(given, *_located(place, known), advice) for place, advice in _faults(error)]
    if settings is None or problems:
        # Out of the `except`: the error carries no other, whose text would hold values.
        raise SettingsError(problems)
    conceal(settings.secrets())
    return settings


def _nested(given: Mapping[str, Given]) -> dict[str, Any]:
    """Return the values in the places that their names say."""
    values: dict[str, Any] = {}
    for name, each in given.items():
        *path, field = name.removeprefix(PREFIX).lower().split(DELIMITER)
        place = values
        for step in path:
            place = place.setdefault(step, {})
        place[field] = each.value
    return values


def _same(one: Path, other: Path) -> bool:
    """Return whether two paths lead to one folder, there or not."""
    try:
        return os.path.realpath(one) == os.path.realpath(other)
    except ValueError:  # a path that no system takes: said where its value is judged
        return False


def _channel(
    name: str, raw: Mapping[str, str], shared_token: str | None, given: Mapping[str, Given]
) -> ChannelSettings | list[Problem]:
    """Return one channel's settings, or what is wrong with them."""
    kind = raw.get("kind", "").lower()
    fields = CHANNEL_VARIABLES.get(kind)
    if fields is None:
        variable = next(iter(CHANNEL_VARIABLES.values()))["kind"]
        return [_problem(given, channel_variable(name, "kind"), variable)]
    shared: dict[str, str] = {}
    if kind == "telegram" and "token" not in raw and shared_token is not None:
        shared["token"] = shared_token
    try:
        return CHANNELS[kind].model_validate({**raw, **shared, "kind": kind, "name": name})
    except ValidationError as error:
        wrong = {str(place[0]): advice for place, advice in _faults(error)}
    # A token that is wrong for all is named once, where it stands.
    return [
        _problem(given, channel_variable(name, field), fields[field], advice)
        for field, advice in wrong.items()
        if field not in shared
    ]


def _faults(error: ValidationError) -> Iterator[tuple[tuple[int | str, ...], str]]:
    """Return where something does not fit, and what to write instead, where that is known."""
    for fault in error.errors(include_url=False, include_input=False):
        cause = fault.get("ctx", {}).get("error")
        yield fault["loc"], str(cause) if isinstance(cause, AdviceError) else ""


def _located(location: Sequence[int | str], known: Mapping[str, Variable]) -> tuple[str, Variable]:
    """Return the variable at a place in Settings, or around it: an item of a list has none of its own."""
    name = PREFIX + DELIMITER.join(step for step in location if isinstance(step, str)).upper()
    return name, known[name]


def _problem(given: Mapping[str, Given], name: str, variable: Variable, advice: str = "") -> Problem:
    """Return a variable that does not fit, or is missing."""
    return given[name].wrong(variable, advice) if name in given else missing(name, variable)


def _clashes(
    channels: Sequence[ChannelSettings], named: Mapping[str, Mapping[str, str]], given: Mapping[str, Given]
) -> Iterator[Problem]:
    """Channels that lead to the same place, where each thread would stand twice; or name none to link to."""
    first: dict[tuple[str, ...], Given] = {}
    open_to_all = {name for name, raw in named.items() if raw.get("kind", "").lower() != "local"}
    for channel in channels:
        if channel.also and channel.also not in open_to_all - {channel.name}:
            guess = partial(nearest, known=sorted(open_to_all - {channel.name}))
            written = given[channel_variable(channel.name, "also")]
            yield written.wrong(replace(CHANNEL_VARIABLES[channel.kind]["also"], nearest=guess))
        place = channel.place
        if place is None:
            continue
        written = given[channel_variable(channel.name, place[0])]
        if place in first:
            yield written.problem(f"the same place as {first[place].spelling}; one channel each is enough")
        first.setdefault(place, written)


ENVIRONMENT = "environment"
DEFAULT = "default"

_TELEGRAM_TOKEN = f"{PREFIX}TELEGRAM__TOKEN"


@dataclass(frozen=True, slots=True)
class InForce:
    """One setting. `value` is fit to be shown: a secret is masked, and empty means that there is none.

    `source` says where it was written: the environment, `.env`, a secrets file, another variable, or
    that it is the default.
    """

    name: str
    value: str
    source: str
    secret: bool


def in_force(environ: Mapping[str, str], *, folder: Path) -> tuple[InForce, ...]:
    """Return every setting in force, those of each channel last. Raises SettingsError."""
    settings = load(environ, folder=folder)
    given, _, _ = gather(environ, folder, ())
    # What stands in the settings in another form than it was written in: a path made whole, say.
    made = {
        **{f"{PREFIX}{field.upper()}": str(value) for field, value in settings if isinstance(value, Path)},
        _DATABASE_URL: redact(settings.database_url.get_secret_value()),
    }
    own = [variable for variable in variables() if PLACE not in variable.name]
    return (*(_one(each, each.name, given, made) for each in own), *_of_channels(settings, given))


def _of_channels(settings: Settings, given: Mapping[str, Given]) -> Iterator[InForce]:
    for channel in settings.channels:
        for field, variable in CHANNEL_VARIABLES[channel.kind].items():
            name = channel_variable(channel.name, field)
            if field == "kind" and name not in given:
                yield InForce(name, channel.kind, DEFAULT, secret=False)
            elif variable.default == "required" or name in given or field != "token":
                yield _one(variable, name, given, {})
            else:
                yield InForce(name, MASK, _TELEGRAM_TOKEN, secret=True)


def _one(variable: Variable, name: str, given: Mapping[str, Given], made: Mapping[str, str]) -> InForce:
    written = given.get(name)
    if written is None:
        return InForce(name, made.get(name, variable.default), DEFAULT, variable.secret)
    source = written.place or ENVIRONMENT
    if written.spelling.upper() != name:
        source = f"{source}, as {written.spelling}"
    value = made.get(name, MASK if variable.secret else written.value)
    return InForce(name, value, source, variable.secret)

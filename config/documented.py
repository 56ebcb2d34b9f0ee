"""What is in force and where it was written, for its owner to look at: `threadcast config`."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from threadcast.config.channels import CHANNEL_VARIABLES
from threadcast.config.environment import Given, gather
from threadcast.config.logs import MASK, redact
from threadcast.config.names import channel_variable
from threadcast.config.settings import Settings, load, variables
from threadcast.config.variables import PLACE, PREFIX, Variable

ENVIRONMENT = "environment"
DEFAULT = "default"

_DATABASE_URL = f"{PREFIX}DATABASE_URL"
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
    """Every setting of the service and of each channel, in the order of the README. Raises SettingsError."""
    settings = load(environ, folder=folder)
    given, _ = gather(environ, folder)
    # What stands in the settings in another form than it was written in: a path made whole, say.
    made = {
        **{f"{PREFIX}{field.upper()}": str(value) for field, value in settings if isinstance(value, Path)},
        _DATABASE_URL: redact(settings.database_url.get_secret_value()),
    }
    own = [variable for variable in variables() if PLACE not in variable.name]
    return (*(_one(each, each.name, given, made) for each in own), *_channels(settings, given))


def _channels(settings: Settings, given: Mapping[str, Given]) -> Iterator[InForce]:
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

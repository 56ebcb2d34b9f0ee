"""Which names are variables of ours, and what a misspelt one was meant to be."""

from collections.abc import Mapping

from threadcast.config.channels import CHANNEL_VARIABLES
from threadcast.config.environment import Given
from threadcast.config.problems import Problem, nearest
from threadcast.config.types import channel_name
from threadcast.config.variables import DELIMITER, PLACE, PREFIX, Variable

CHANNELS = f"{PREFIX}CHANNELS"

_EVERY_FIELD = tuple(dict.fromkeys(field for fields in CHANNEL_VARIABLES.values() for field in fields))
_DEPTH = 3  # CHANNELS, the channel's name, the field


def channel_variable(name: str, field: str) -> str:
    """The variable of one channel's field."""
    return DELIMITER.join((CHANNELS, name, field)).upper()


def misspelt(given: Mapping[str, Given], known: Mapping[str, Variable]) -> dict[str, Problem]:
    """A problem for each name that is no variable, with the nearest one that is."""
    found: dict[str, Problem] = {}
    for name, each in given.items():
        text = None if name in known else _unknown(name, given, known)
        if text is not None:
            found[name] = each.problem(text)
    return found


def _unknown(name: str, given: Mapping[str, Given], known: Mapping[str, Variable]) -> str | None:
    """What is wrong with a name that is not of the fixed ones; None where it is a channel's."""
    steps = name.removeprefix(PREFIX).split(DELIMITER)
    if steps[0] == "CHANNELS":
        if len(steps) != _DEPTH:
            return f"no such setting; a channel's variables look like {channel_variable('news', 'kind')}"
        return _unknown_of_channel(steps[1], steps[2].lower(), given)
    fixed = [each for each in known if PLACE not in each]
    like = [channel_variable(steps[1], field) for field in _EVERY_FIELD] if len(steps) == _DEPTH else []
    # Without the prefix, which would make any two names look alike.
    guess = nearest(name.removeprefix(PREFIX), [each.removeprefix(PREFIX) for each in (*fixed, *like)])
    return f"no such setting; did you mean {PREFIX}{guess}?" if guess else "no such setting"


def _unknown_of_channel(channel: str, field: str, given: Mapping[str, Given]) -> str | None:
    try:
        channel_name(channel)
    except ValueError:
        return "a channel's name begins with a letter or digit and has 32 letters, digits, _ and - at most"
    written = given.get(channel_variable(channel, "kind"))
    kind = written.value.lower() if written else ""
    fields = tuple(CHANNEL_VARIABLES.get(kind, _EVERY_FIELD))
    if field in fields:
        return None
    what = f"a {kind} channel has no such setting" if field in _EVERY_FIELD else "no such setting"
    guess = nearest(field, fields)
    return f"{what}; did you mean {channel_variable(channel, guess)}?" if guess else what

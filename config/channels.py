"""What an owner says about a channel: one model for each kind, told apart by `kind`."""

from datetime import timedelta
from functools import partial
from typing import Annotated, Literal, get_args
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from threadcast.config.documented import DELIMITER, PLACE, PREFIX, Doc, Variable, nearest, variables_of
from threadcast.config.schedule.quiet import NEVER_QUIET, QuietHours, parse_quiet
from threadcast.config.schedule.slots import parse_schedule
from threadcast.config.schedule.timetable import Timetable
from threadcast.config.types import (
    AnyCase,
    BearerToken,
    BotToken,
    ChannelName,
    Chat,
    Duration,
    Language,
    Quiet,
    Server,
    Slots,
    TimeZone,
    nearest_days,
    nearest_zone,
    time_zone,
)

Numbering = Literal["keep", "renumber", "total", "none"]
Visibility = Literal["public", "unlisted", "private", "direct"]
VISIBILITIES: tuple[Visibility, ...] = get_args(Visibility)  # from the widest to the narrowest

_KINDS = ("telegram", "mastodon", "local")
_KIND = Doc(
    "which network the channel is on",
    "telegram, mastodon or local",
    "telegram",
    "required",
    partial(nearest, known=_KINDS),
)


class _Channel(BaseModel):
    """What every kind of channel has. `name` is the owner's, in lower case."""

    # Built where a channel of the kind is configured: it takes longer than to read it.
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, defer_build=True)

    name: ChannelName
    numbering: Annotated[
        Numbering,
        AnyCase,
        Doc.choice("how posts are numbered: as the author did, 1/ 2/ …, 1/34 2/34 …, or not at all", "total"),
    ] = "keep"
    hold: Annotated[bool, Doc.choice("each thread waits until a person releases it", "true")] = False
    descriptions: Annotated[
        Literal["optional", "required"],
        AnyCase,
        Doc.choice("whether a thread with a file that nobody describes is held", "required"),
    ] = "optional"
    schedule: Annotated[
        Slots | None,
        Doc(
            "when a thread may start: slots, a cron line or a step; without it, in turn and at once",
            "slots (mon-fri 09:00,18:30; sat 11:00), a cron line (0 9 * * mon-fri) or every 2h",
            "mon-fri 09:00,13:00,18:30; sat 11:00",
            nearest=partial(nearest_days, parse_schedule),
        ),
    ] = None
    timezone: Annotated[
        TimeZone | None,
        Doc(
            "the time zone of its schedule and quiet hours",
            "a time zone's name",
            "Asia/Kolkata",
            "THREADCAST_TIMEZONE",
            nearest_zone,
        ),
    ] = None
    quiet: Annotated[
        Quiet,
        Doc(
            "hours in which no thread starts, unless it has a time of its own",
            "hours such as 22:00-07:00, with days if need be, that leave a slot of the schedule",
            "22:00-07:00, sat-sun 20:00-10:00",
            "none",
            partial(nearest_days, parse_quiet),
        ),
    ] = NEVER_QUIET
    quiet_chain: Annotated[
        Literal["finish", "pause"],
        AnyCase,
        Doc.choice("what a chain does that runs into quiet hours", "pause"),
    ] = "finish"
    jitter: Annotated[
        Duration,
        Doc(
            "a thread starts up to this much after its slot, by chance",
            "a duration such as 10m",
            "10m",
            "none",
        ),
    ] = timedelta(0)
    pace: Annotated[
        Duration,
        Doc("how long a chain rests between two posts", "a duration such as 90s or 2m", "2m", "none"),
    ] = timedelta(0)

    also: Annotated[
        ChannelName | Literal[""],
        AnyCase,
        Doc(
            "the channel that is named, by a link, at the end of a chain once the same thread is whole there",
            "the name of another channel, on Telegram or Mastodon",
            "masto",
            "none",
        ),
    ] = ""
    when_unsure: Annotated[
        Literal["ask", "resend"],
        AnyCase,
        Doc.choice(
            "where nobody can tell whether a post is out: its owner is asked, or it is sent again", "resend"
        ),
    ] = "ask"

    @field_validator("quiet")
    @classmethod
    def _leaves_slots(cls, quiet: QuietHours, info: ValidationInfo) -> QuietHours:
        """Raise ValueError where quiet hours leave none of the schedule's slots, in whatever zone."""
        Timetable("", time_zone("UTC"), schedule=info.data.get("schedule"), quiet=quiet)
        return quiet

    @property
    def place(self) -> tuple[str, ...] | None:
        """Where the channel leads, after the field that says so; None where no other can lead there."""
        return None

    @property
    def resends(self) -> bool:
        """Whether a post of which nobody can tell whether it is out is sent again."""
        return self.when_unsure == "resend"

    def timetable(self, zone: ZoneInfo) -> Timetable:
        """Return when its threads start; `zone` counts where the channel has no time zone of its own."""
        return Timetable(
            self.name, self.timezone or zone, schedule=self.schedule, quiet=self.quiet, jitter=self.jitter
        )


class TelegramChannelSettings(_Channel):
    """A Telegram chat, posted to by a bot: its own, or the one that all chats share."""

    kind: Annotated[Literal["telegram"], _KIND] = "telegram"
    chat: Annotated[
        Chat,
        Doc(
            "the chat to post in; the bot must be allowed to post there",
            "@name, its t.me address, or its numeric id",
            "@my_channel",
        ),
    ]
    token: Annotated[
        BotToken,
        Doc(
            "a bot of its own",
            "a bot's token as @BotFather gives it, here or in THREADCAST_TELEGRAM__TOKEN",
            "123456789:your-bot-token",
            "the bot of THREADCAST_TELEGRAM__TOKEN",
        ),
    ]
    silent: Annotated[bool, Doc.choice("posts after the first of a chain make no sound", "false")] = True
    layout: Annotated[
        Literal["separate", "packed"],
        AnyCase,
        Doc.choice("whether parts that follow one another share a message as long as they fit", "packed"),
    ] = "separate"
    previews: Annotated[
        Literal["first", "all", "none"],
        AnyCase,
        Doc.choice("which posts of a chain show a preview of what they link to", "first"),
    ] = "all"

    @property
    def place(self) -> tuple[str, ...]:
        return ("chat", self.chat.lower())


class MastodonChannelSettings(_Channel):
    """An account on a server that speaks Mastodon's API."""

    kind: Annotated[Literal["mastodon"], _KIND] = "mastodon"
    url: Annotated[
        Server,
        Doc(
            "the account's server",
            "https:// and a host, without a path (http:// for this machine only)",
            "https://mastodon.example",
        ),
    ]
    token: Annotated[
        BearerToken,
        Doc(
            "the access token of an application with the scopes read and write",
            "an access token from the account's settings, under Development",
            "your-access-token",
        ),
    ]
    visibility: Annotated[
        Visibility, AnyCase, Doc.choice("who sees the first post of a chain", "unlisted")
    ] = "public"
    reply_visibility: Annotated[
        Visibility, AnyCase, Doc.choice("who sees the other posts of a chain", "public")
    ] = "unlisted"
    language: Annotated[
        Language | None,
        Doc("the language of the posts", "a language code such as en, de or pt-BR", "en", "the account's"),
    ] = None
    depth: Annotated[
        int | None,
        Field(ge=2, le=20),
        Doc(
            "after so many posts the next one replies to the first again: visitors who are not logged in see"
            " 20 replies deep, and so up to 61 posts in place of 21",
            "a number from 2 to 20",
            "20",
            "none",
        ),
    ] = None
    spoiler: Annotated[str, Doc("a content warning on every post", "a line of text", "politics")] = ""

    @property
    def place(self) -> tuple[str, ...]:
        return ("token", self.token.get_secret_value(), self.url)


class LocalChannelSettings(_Channel):
    """The timeline in the data folder, under the rules of either network."""

    kind: Annotated[Literal["local"], _KIND] = "local"
    like: Annotated[
        Literal["telegram", "mastodon"], AnyCase, Doc.choice("whose limits and rules it has", "telegram")
    ] = "mastodon"


ChannelSettings = TelegramChannelSettings | MastodonChannelSettings | LocalChannelSettings

# kind -> model
CHANNELS: dict[str, type[ChannelSettings]] = {
    model.model_fields["kind"].default: model for model in get_args(ChannelSettings)
}


def _described(model: type[_Channel]) -> dict[str, Variable]:
    kind: str = model.model_fields["kind"].default
    prefix = f"{PREFIX}CHANNELS{DELIMITER}{PLACE}{DELIMITER}"
    described = {
        variable.name.removeprefix(prefix).lower(): variable
        for variable in variables_of(model, prefix=prefix, group=f"{kind.title()} channels")
    }
    return {"kind": described.pop("kind"), **described}


# kind -> field -> variable
CHANNEL_VARIABLES: dict[str, dict[str, Variable]] = {
    kind: _described(model) for kind, model in CHANNELS.items()
}


def narrower(wished: Visibility | None, usual: Visibility) -> Visibility:
    """Return who sees the replies of a thread whose first post is for these: never more people."""
    return usual if wished is None else max(wished, usual, key=VISIBILITIES.index)

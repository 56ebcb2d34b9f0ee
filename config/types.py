"""The kinds of value that a setting takes, and the form in which each is kept.

A function here takes what the owner wrote and gives it back in one form, or raises ValueError. Its
message is never shown, for what was expected stands beside the field; that of AdviceError is, and holds no
secret.
"""

import ipaddress
import re
from collections.abc import Callable
from datetime import time, timedelta
from typing import Annotated, Any
from urllib.parse import parse_qs, unquote, urlsplit
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr

from threadcast.config.documented import nearest
from threadcast.config.schedule.quiet import QuietHours, parse_quiet
from threadcast.config.schedule.slots import Schedule, parse_schedule
from threadcast.config.schedule.words import DAY_NAMES, parse_duration, parse_time

_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_PRINTABLE = re.compile(r"[!-~]+")
_CHANNEL_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")
_CHAT_NAME = re.compile(r"(?:@|(?:https?://)?(?:t\.me|telegram\.me)/)?([A-Za-z][A-Za-z0-9_]{3,31})/?")
_CHAT_PATH = re.compile(r"(?:https?://)?(?:t\.me|telegram\.me)/c/([1-9][0-9]{0,15})(?:/.*)?")
_INVITATION = re.compile(r"(?:https?://)?(?:t\.me|telegram\.me)/(?:\+|joinchat/).*")
_CHAT_ID = re.compile(r"-?[1-9][0-9]{0,15}")
_WITHOUT_SIGN = re.compile(r"100[0-9]{10}")
_USER_ID = re.compile(r"[1-9][0-9]{0,15}")
_LANGUAGE = re.compile(r"([A-Za-z]{2,3})(?:[-_]([A-Za-z]{2}|[A-Za-z]{4}))?")


class AdviceError(ValueError):
    """A value that does not fit, and what to write instead: for its owner, after what was expected."""


def is_loopback(host: str) -> bool:
    """Return whether a host is this machine: `localhost`, 127.0.0.0/8 or ::1."""
    if host == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_loopback and not getattr(address, "ipv4_mapped", None)


def web_address(value: str, *, path: bool) -> str:
    """Return an https address (http for this machine only), its host in lower case.

    It has no usual port and no slash at its end. A host alone means https. No user, query or
    fragment is taken, and a path only where `path` says so.
    """
    if "." in value and _HOST.fullmatch(value.lower()):
        value = f"https://{value}"
    if not _PRINTABLE.fullmatch(value) or set(value) & set("\\@?#"):
        raise ValueError("not an address")
    parts = urlsplit(value)
    host, port = parts.hostname or "", parts.port
    if parts.scheme not in {"https", "http"} or port == 0:
        raise ValueError("not an address")
    if ":" in host:
        netloc = f"[{ipaddress.IPv6Address(host)}]"
    elif _HOST.fullmatch(host):
        netloc = host
    else:
        raise ValueError("no host")
    if parts.scheme == "http" and not is_loopback(host):
        raise ValueError("plain http")
    usual = {"https": 443, "http": 80}[parts.scheme]
    rest = parts.path.rstrip("/")
    if rest and not path:
        raise ValueError("a path")
    return f"{parts.scheme}://{netloc}{f':{port}' if port not in {None, usual} else ''}{rest}"


def listener(value: str) -> tuple[str, int] | None:
    """Return the host and the port to listen at; None for `off`."""
    if value.lower() == "off":
        return None
    host, colon, port = value.rpartition(":")
    host = host.removeprefix("[").removesuffix("]").lower()
    if not colon or not re.fullmatch("[1-9][0-9]{0,4}", port) or int(port) > 65535:  # noqa: PLR2004  # ports
        raise ValueError("no port")
    if host != "localhost":
        host = str(ipaddress.ip_address(host))
    return host, int(port)


def database_url(value: str) -> str:
    """Return a database URL whose scheme we know: PostgreSQL, or SQLite with a file."""
    parts = urlsplit(value)
    if parts.scheme in {"postgresql", "postgres"}:
        # Where a password has one of these, what follows would be taken for the host, and shown.
        in_path = "@" in parts.path or (not parts.path and "@" in parts.query)
        if in_path or parts.fragment or parts.netloc.count("@") > 1:
            raise AdviceError("in a password write @ as %40, / as %2F, # as %23 and ? as %3F")
        # The port is read to have it checked.
        if not value.startswith(f"{parts.scheme}://") or parts.port == 0 or not (parts.netloc or parts.path):
            raise ValueError("not a PostgreSQL URL")
        return value
    if not value.startswith("sqlite:///") or parts.path.strip("/") in {"", ":memory:"}:
        raise ValueError("not a database that we know")
    return value


def passwords_of(url: str) -> tuple[str, ...]:
    """Return the passwords in a database URL, as written and decoded."""
    parts = urlsplit(url)
    written = [parts.password or "", *parse_qs(parts.query).get("password", [])]
    return tuple(form for password in written for form in (password, unquote(password)) if password)


def channel_name(value: str) -> str:
    """Return the owner's name for a channel, in lower case; 32 characters at most."""
    name = value.lower()
    if not _CHANNEL_NAME.fullmatch(name):
        raise ValueError("not a name")
    return name


def chat(value: str) -> str:
    """Return a Telegram chat as `@name` or as its numeric id; a t.me address gives its `@name`."""
    if private := _CHAT_PATH.fullmatch(value):
        raise AdviceError(f"write the chat's numeric id: -100{private[1]}")
    if _INVITATION.fullmatch(value):
        raise AdviceError("an invitation does not name the chat: write its numeric id, from -100 on")
    if named := _CHAT_NAME.fullmatch(value):
        return f"@{named[1]}"
    if not _CHAT_ID.fullmatch(value):
        raise ValueError("not a chat")
    if not value.startswith("-"):
        whole = f"-{value}" if _WITHOUT_SIGN.fullmatch(value) else f"-100{value}"
        raise AdviceError(
            f"the id of a channel or supergroup begins with -100, that of a group with -: {whole}"
        )
    return value


def user_ids(value: str) -> tuple[int, ...]:
    """Numeric Telegram user ids out of a list with commas or blanks, each once."""
    found = value.replace(",", " ").split()
    if not all(_USER_ID.fullmatch(each) for each in found):
        raise ValueError("not a user id")
    return tuple(dict.fromkeys(int(each) for each in found))


def language(value: str) -> str:
    """Return a language code: ISO 639, with a region or a script where there is one (`pt-BR`, `zh-Hant`)."""
    code = _LANGUAGE.fullmatch(value)
    if not code:
        raise ValueError("not a language code")
    more = code[2] or ""
    region = more.upper() if len(more) == 2 else more.title()  # noqa: PLR2004 - a region has two letters
    return code[1].lower() + (f"-{region}" if region else "")


def time_zone(value: str) -> ZoneInfo:
    """Return a time zone of the IANA database by its name."""
    try:
        return ZoneInfo(value)
    except (OSError, LookupError):  # a folder of the database, or nothing
        raise ValueError("no such time zone") from None


def nearest_zone(value: str) -> str | None:
    """Return the name of the time zone that a wrong one is like; of a city alone, that of the city."""
    names = sorted(available_timezones())
    city = value.replace(" ", "_").lower()
    cities = (name for name in names if name.lower().rpartition("/")[2] == city or name.lower() == city)
    return next(cities, None) or nearest(value, names)


def nearest_days(parse: Callable[[str], object], text: str) -> str | None:
    """Return the text with names of days in place of words that are like them, where it is read then."""

    def mend(word: "re.Match[str]") -> str:
        return nearest(word[0], DAY_NAMES, likeness=0.6) or word[0]

    mended = re.sub("[a-z]{3,}", mend, text.lower())
    try:
        parse(mended)
    except ValueError:
        return None
    return mended if mended != text.lower() else None


def folder(value: str) -> str:
    """Return a folder's path that can stand in a SQLite URL, where a question mark would end it."""
    if set(value) & set('?\0\r\n"') or re.search(r"(?:^|/)'.*'$", value):
        raise ValueError("not a folder")
    return value


def _text(change: Any) -> BeforeValidator:
    """Apply a function to text only: in code, a setting may be given as the value itself."""
    return BeforeValidator(lambda value: change(value) if isinstance(value, str) else value)


def _in_form(form: str) -> Callable[[str], str]:
    """Return a check that a text is of this form, and no more: pydantic reads numbers more freely."""

    def check(value: str) -> str:
        if not re.fullmatch(form, value):
            raise ValueError("not in this form")
        return value

    return check


def _secret(change: Callable[[str], str]) -> AfterValidator:
    return AfterValidator(lambda secret: SecretStr(change(secret.get_secret_value())))


AnyCase = _text(str.lower)
Folder = _text(folder)
TimeZone = Annotated[ZoneInfo, _text(time_zone)]
Slots = Annotated[Schedule, _text(parse_schedule)]
Quiet = Annotated[QuietHours, _text(parse_quiet)]
Duration = Annotated[timedelta, _text(parse_duration)]
Rate = Annotated[float, _text(_in_form(r"[0-9]{1,4}(\.[0-9]{1,3})?")), Field(ge=0.01, le=1000)]
GroupId = Annotated[int, _text(_in_form("-[1-9][0-9]{0,15}"))]
TimeOfDay = Annotated[time, _text(parse_time)]
UserIds = Annotated[tuple[int, ...], _text(user_ids)]
ChannelName = Annotated[str, AfterValidator(channel_name)]
Chat = Annotated[str, AfterValidator(chat)]
Language = Annotated[str, AfterValidator(language)]
Server = Annotated[str, AfterValidator(lambda value: web_address(value, path=False))]
Endpoint = Annotated[str, AfterValidator(lambda value: web_address(value, path=True))]
BotToken = Annotated[SecretStr, _secret(_in_form("[0-9]+:[A-Za-z0-9_-]+"))]
HookSecret = Annotated[SecretStr, _secret(_in_form("[!-~]{16,}"))]
# https://www.rfc-editor.org/rfc/rfc6750#section-2.1
BearerToken = Annotated[SecretStr, _secret(_in_form("[A-Za-z0-9._~+/-]+=*"))]
DatabaseUrl = Annotated[SecretStr, _secret(database_url)]

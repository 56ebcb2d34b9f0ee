"""The steps of `setup`. Each writes what it has found out before the next begins, and says what is there."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Final

import click

from threadcast.bot.channels.build import open_channels
from threadcast.bot.channels.port import Finding
from threadcast.bot.languages import _, translated
from threadcast.bot.plain import plain
from threadcast.bot.shell import check as checks
from threadcast.bot.shell import views
from threadcast.bot.shell.context import confirm, load_settings
from threadcast.bot.shell.data_option import environment
from threadcast.bot.shell.exits import Exit, FaultError
from threadcast.bot.shell.screen import Screen, safe
from threadcast.bot.shell.setup import dotenv
from threadcast.bot.shell.setup.asking import answer, on_terminal
from threadcast.config import logs
from threadcast.config.channels import ChannelSettings, MastodonChannelSettings
from threadcast.config.environment import channel_variable
from threadcast.config.settings import Settings, SettingsError, load
from threadcast.config.types import web_address

TOKEN: Final = "THREADCAST_TELEGRAM__TOKEN"  # noqa: S105  # a variable's name
ADMINS: Final = "THREADCAST_TELEGRAM__ADMINS"
COMMAND: Final = "threadcast setup"
TELEGRAM, MASTODON = "telegram", "mastodon"
STEPS: Final = (TELEGRAM, "owner", "chat", MASTODON)


@dataclass(frozen=True, slots=True)
class Wishes:
    """What was given as options; None is asked for. `without` are steps to leave out."""

    bot_token: str | None = field(default=None, repr=False)
    admin: str | None = None
    chat: str | None = None
    server: str | None = None
    code: str | None = field(default=None, repr=False)
    access_token: str | None = field(default=None, repr=False)
    test: bool | None = None
    without: frozenset[str] = frozenset()


def set_up(wishes: Wishes) -> bool:
    """Go through all steps; whether the checks found nothing wrong. Raises FaultError, UsageError, …"""
    settings = load_settings()
    if settings.log_level != "debug":
        logs.configure(
            "error", settings.log_format, zone=settings.timezone
        )  # the steps say the rest themselves
    setup = Setup(settings)
    said = _("Settings are kept in {file}. You can stop, and go on, at any step.")
    setup.screen.say(said.format(file=safe(str(setup.file))))
    if TELEGRAM not in wishes.without:
        setup.telegram(wishes)
    if MASTODON not in wishes.without:
        setup.mastodon(wishes)
    settings, screen = setup.settings, setup.screen
    findings = asyncio.run(checks.examine(settings))
    screen.say()
    views.findings(screen, findings)
    if any(one.level == "error" for _about, one in findings):
        screen.say(_("Something has to be mended first; then go on with: {command}").format(command=COMMAND))
        return False
    return setup.test(wishes)


class Setup:
    """The settings as they are, the file into which more are put, and the screen."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.file: Path = dotenv.find(environment())
        self.screen = Screen(settings.timezone)

    def telegram(self, wishes: Wishes) -> None:
        """The bot, its owner and its channel."""
        bot = self._bot(wishes)
        if not bot:
            self.screen.say(_("{network} is left out.").format(network="Telegram"))
            return
        if wishes.admin is not None and not self.settings.telegram.admins:
            self._keep({ADMINS: wishes.admin})
        if wishes.chat is not None:
            self._name_chat(wishes.chat)
        if self.settings.chatting:
            from threadcast.bot.shell.setup.hearing import hear  # noqa: PLC0415  # telegram: only where it is used

            asyncio.run(hear(self.settings, bot, self.screen, wishes.without))

    def _bot(self, wishes: Wishes) -> str:
        """Return the bot's username, once its token is good; empty where it is left out."""
        from threadcast.bot.chat.access import bot_name  # noqa: PLC0415  # telegram: only where it is used

        if self.settings.telegram.token is not None:
            name = asyncio.run(bot_name(self.settings))
            if isinstance(name, Finding):
                raise FaultError(checks.in_short(name), Exit.CHECK_FAILED)
            self.screen.say(_("Telegram: the bot @{bot} is set up already.").format(bot=safe(name)))
            return name
        if wishes.bot_token is None and on_terminal():
            said = _("Telegram: talk to {address}, send it {command}, and copy the token that it gives.")
            self.screen.say(said.format(address="https://t.me/BotFather", command="/newbot"))
        while True:
            token = answer(
                _("The bot's token, which is not shown (Enter: without Telegram)"),
                wishes.bot_token,
                option="--bot-token-file FILE",
                step=TELEGRAM,
                secret=True,
            )
            if not token:
                return ""
            try:
                name = asyncio.run(bot_name(self._with({TOKEN: token})))
                problem = checks.in_short(name) if isinstance(name, Finding) else ""
            except SettingsError:
                said = _("That is no bot's token; expected one as {sender} gives it, such as {example}")
                name, problem = "", said.format(sender="@BotFather", example="123456789:AAE…")
            if isinstance(name, str) and not problem:
                self._keep({TOKEN: token})
                self.screen.say(_("That is @{bot}.").format(bot=safe(name)))
                return name
            self._refuse(problem, given=wishes.bot_token is not None)

    def _name_chat(self, chat: str) -> None:
        from threadcast.bot.chat.views.newcomer import name_for  # noqa: PLC0415  # telegram: see above

        names = {one.name for one in self.settings.channels}
        name = name_for(chat, chat.removeprefix("@"), names)
        made = {channel_variable(name, "kind"): TELEGRAM, channel_variable(name, "chat"): chat}
        if any(getattr(one, "chat", "").lower() == chat.lower() for one in self.settings.channels):
            return
        self._check(name, made)
        self._keep(made)

    def mastodon(self, wishes: Wishes) -> None:
        """An account on a server that speaks Mastodon's API."""
        there = [one for one in self.settings.channels if isinstance(one, MastodonChannelSettings)]
        if there and wishes.server is None:
            self._is_there(", ".join(f"{one.name} ({one.url})" for one in there))
            return
        server, token = "", None
        while token is None:
            server = self._server(wishes)
            if any(one.url == server for one in there):
                self._is_there(server)
                return
            token = self._access(server, wishes) if server else ""
        if token:
            taken = {one.name for one in self.settings.channels}
            names = ("masto" if number == 1 else f"masto_{number}" for number in count(1))
            name = next(one for one in names if one not in taken)
            fields = {"kind": MASTODON, "url": server, "token": token}
            made = {channel_variable(name, field): value for field, value in fields.items()}
            self._check(name, made)
            self._keep(made)
        else:
            self.screen.say(_("{network} is left out.").format(network="Mastodon"))

    def _server(self, wishes: Wishes) -> str:
        while True:
            typed = answer(
                _("Mastodon: your server, as {example} (Enter: without Mastodon)").format(
                    example="mastodon.social"
                ),
                wishes.server,
                option="--mastodon SERVER",
                step=MASTODON,
            )
            try:
                return typed and web_address(typed.rpartition("@")[2].rstrip("/"), path=False)
            except ValueError:
                problem = _("“{typed}” is no server's address; expected one such as {example}").format(
                    typed=plain(typed), example="https://mastodon.social"
                )
                self._refuse(problem, given=wishes.server is not None)

    def _access(self, server: str, wishes: Wishes) -> str | None:
        """Return the access token; empty where it is left out, None where another server is wanted."""
        if wishes.access_token is not None:
            return wishes.access_token
        from threadcast.bot.channels.mastodon.errors import CallError  # noqa: PLC0415  # only where it is used
        from threadcast.bot.shell.setup import authorisation  # noqa: PLC0415

        try:
            if on_terminal() and wishes.code is None:
                return authorisation.by_browser(server, self.settings, self.screen)
            return authorisation.by_code(server, wishes.code, self.settings)
        except CallError as error:
            problem = f"{server}: {translated(error.fault.reason)}"
            self._refuse(problem, given=wishes.server is not None, code=Exit.CHECK_FAILED)
            return None

    def test(self, wishes: Wishes) -> bool:
        """A thread of two posts, if it is wanted; whether all went well."""
        from threadcast.bot.shell.setup.trial import channels_of, try_out  # noqa: PLC0415  # publishing

        wanted, names = wishes.test, channels_of(self.settings)
        if not names:
            self.screen.say(_("No channel is set up yet. Go on with: {command}").format(command=COMMAND))
            return True
        if wanted is None:
            asked = _("Publish two test posts on {channels}, and take them down again?")
            wanted = on_terminal() and confirm(asked.format(channels=", ".join(names)))
        well = not wanted or asyncio.run(try_out(self.settings, self.screen))
        if well:
            self.screen.say(_("All is set up. Start with: {command}").format(command="threadcast run"))
        return well

    def _check(self, name: str, made: Mapping[str, str]) -> None:
        """Say of a new channel whether it can be published to. Raises FaultError where not."""
        try:
            settings = self._with(made)
        except SettingsError as error:
            raise FaultError(str(error), Exit.CONFIGURATION) from None
        (channel,) = (one for one in settings.channels if one.name == name)
        found = asyncio.run(_examined(settings, channel))
        views.findings(self.screen, [(name, one) for one in found])
        if any(one.level == "error" for one in found):
            said = _("{name} was not set up; to try again: {command}").format(name=name, command=COMMAND)
            raise FaultError(said, Exit.CHECK_FAILED)

    def _is_there(self, account: str) -> None:
        self.screen.say(_("Mastodon: {account} is set up already.").format(account=safe(account)))

    def _with(self, values: Mapping[str, str]) -> Settings:
        """Return the settings as they would be. Raises SettingsError."""
        return load({**environment(), **values}, folder=Path.cwd())

    def _keep(self, values: Mapping[str, str]) -> None:
        self._with(values)
        dotenv.keep(self.file, values)
        self.settings = load_settings()

    def _refuse(self, problem: str, *, given: bool, code: Exit = Exit.CONFIGURATION) -> None:
        """Say what is wrong with what was typed; to a script it is an error."""
        if given or not on_terminal():
            raise FaultError(problem, code) from None
        click.echo(plain(problem), err=True)


async def _examined(settings: Settings, channel: ChannelSettings) -> tuple[Finding, ...]:
    async with open_channels(settings.model_copy(update={"channels": (channel,)})) as (one,):
        return await one.check()

"""Who may speak to the bot, and where. Everyone else gets silence, and is logged once."""

import structlog
import telegram
from telegram.constants import ChatType

from threadcast.bot.chat.buttons import Asker
from threadcast.bot.chat.commands import Role
from threadcast.bot.plain import plain
from threadcast.config.telegram import TelegramSettings

log = structlog.get_logger("threadcast.chat")

REMEMBERED = 1000  # strangers who are not logged again


class Door:
    """Lets people in by their numeric ids: names and usernames can be anybody's."""

    def __init__(self, settings: TelegramSettings) -> None:
        self.owners = settings.admins
        self.group = settings.group
        self._roles = dict.fromkeys(settings.admins, Role.OWNER)
        for editor in settings.editors:
            self._roles.setdefault(editor, Role.EDITOR)
        self._strangers: set[int] = set()

    def role_of(self, person: int) -> Role | None:
        return self._roles.get(person)

    @property
    def people(self) -> dict[int, Role]:
        """Everybody who may, by id."""
        return dict(self._roles)

    def enter(self, user: telegram.User | None, chat: telegram.Chat | None) -> Asker | None:
        """Who asks, None where they may not: in a private chat with the bot, or in the configured group."""
        if user is None or chat is None:
            return None
        role = self._roles.get(user.id)
        private = chat.type == ChatType.PRIVATE and chat.id == user.id
        if role is not None and (private or chat.id == self.group):
            return Asker(user.id, chat.id, role)
        self._note(user, chat, known=role is not None)
        return None

    def _note(self, user: telegram.User, chat: telegram.Chat, *, known: bool) -> None:
        key = chat.id if known else user.id
        if key in self._strangers or len(self._strangers) >= REMEMBERED:
            return
        self._strangers.add(key)
        if known:
            log.warning(
                "not answered: another group",
                chat=chat.id,
                next=f"to steer the service from there: THREADCAST_TELEGRAM__GROUP={chat.id}",
            )
            return
        log.warning(
            "not answered: a stranger",
            person=user.id,
            name=plain(user.full_name)[:64],
            next=f"if this is you, put {user.id} into THREADCAST_TELEGRAM__ADMINS",
        )

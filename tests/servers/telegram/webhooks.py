"""Webhooks: the calls that set them, and the courier that brings updates to them.

https://core.telegram.org/bots/api#setwebhook. Unlike Telegram, the server takes plain HTTP on this machine,
and brings updates nowhere else; what a webhook answers is not read as a call.
"""

import re
import time
from collections.abc import Callable
from http.client import HTTPConnection, HTTPException
from json import dumps
from threading import Condition, Thread
from urllib.parse import urlsplit

from tests.servers.http import break_off
from tests.servers.telegram.chats import ApiError, Json, User
from tests.servers.telegram.parameters import Parameters
from tests.servers.telegram.state import BotApi, Hook

PORTS = (80, 88, 443, 8443)
LOOPBACK = ("127.0.0.1", "localhost", "::1")
SECRET = re.compile(r"[A-Za-z0-9_-]*")
LONGEST_SECRET = 256
MOST_CONNECTIONS = 100
BY_SET_WEBHOOK = "Conflict: terminated by setWebhook request"
SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"
ANSWER_WITHIN = 60.0  # seconds


def set_webhook(api: BotApi, bot: User, given: Parameters) -> bool:
    url, secret = given.text("url"), given.text("secret_token")
    connections = min(max(given.integer("max_connections", 40), 1), MOST_CONNECTIONS)
    if not url:
        return delete_webhook(api, bot, given)
    _check_url(url)
    if not SECRET.fullmatch(secret):
        raise ApiError(400, "Bad Request: secret token contains unallowed characters")
    if len(secret) > LONGEST_SECRET:
        raise ApiError(400, "Bad Request: secret token is too long")
    api.updates.choose_kinds(bot, given)
    if given.flag("drop_pending_updates"):
        api.updates.waiting[bot.id].clear()
    api.updates.end_poll(bot, BY_SET_WEBHOOK)
    api.webhooks[bot.id] = url
    api.hooks[bot.id] = Hook(url, secret, connections)
    return True


def delete_webhook(api: BotApi, bot: User, given: Parameters) -> bool:
    if given.flag("drop_pending_updates"):
        api.updates.waiting[bot.id].clear()
    api.webhooks.pop(bot.id, None)
    api.hooks.pop(bot.id, None)
    return True


def get_webhook_info(api: BotApi, bot: User, _: Parameters) -> Json:
    url, hook, kinds = api.webhooks.get(bot.id, ""), api.hooks.get(bot.id), api.updates.kinds.get(bot.id)
    shown: Json = {"url": url, "has_custom_certificate": False}
    shown["pending_update_count"] = len(api.updates.waiting[bot.id])
    if hook is not None:
        shown["max_connections"] = hook.max_connections
        if hook.error:
            shown |= {"last_error_date": hook.error_date, "last_error_message": hook.error}
    return shown | ({"allowed_updates": kinds} if kinds else {})


def _check_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ApiError(400, "Bad Request: bad webhook: Wrong HTTP URL") from None
    if parts.scheme == "http" and parts.hostname in LOOPBACK:
        return
    if parts.scheme != "https" or not parts.hostname:
        raise ApiError(400, "Bad Request: bad webhook: An HTTPS URL must be provided for webhook")
    if port is not None and port not in PORTS:
        words = "Webhook can be set up only on ports 80, 88, 443 or 8443"
        raise ApiError(400, f"Bad Request: bad webhook: {words}")


class Courier:
    """Brings each bot's updates to its webhook, one after the other, and each until it is taken.

    `retry_delay` is how many seconds to wait after a failure.
    """

    def __init__(self, api: BotApi, changed: Condition, retry_delay: Callable[[], float]) -> None:
        self._api = api
        self._changed = changed
        self._retry_delay = retry_delay
        self._thread: Thread | None = None
        self._stopped = False
        self._connection: HTTPConnection | None = None

    def start(self) -> None:
        """Begin, if there is a webhook to bring anything to. Does nothing while it works already."""
        if self._thread is None and self._api.hooks:
            self._stopped = False
            self._thread = Thread(target=self._run, daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """End; an update that is on its way comes again later."""
        with self._changed:
            thread, self._thread, self._stopped = self._thread, None, True
            self._changed.notify_all()
            if self._connection is not None and self._connection.sock is not None:
                break_off(self._connection.sock)
        if thread is not None:
            thread.join()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(self._is_wanted, self._until_retry())
                if self._stopped:
                    return
                due = self._due()
            if due is not None:
                self._bring(*due)

    def _is_wanted(self) -> bool:
        return self._stopped or self._due() is not None

    def _due(self) -> tuple[int, Hook, Json] | None:
        """The oldest update of a bot whose webhook takes some now."""
        for bot_id, hook in self._api.hooks.items():
            waiting = self._api.updates.waiting[bot_id]
            if waiting and hook.not_before <= time.monotonic() and hook.url.startswith("http:"):
                return bot_id, hook, next(iter(waiting.values()))
        return None

    def _until_retry(self) -> float | None:
        moments = [hook.not_before for hook in self._api.hooks.values()]
        later = [moment for moment in moments if moment > time.monotonic()]
        return min(later) - time.monotonic() if later else None

    def _bring(self, bot_id: int, hook: Hook, update: Json) -> None:
        error = self._post(hook, update)
        with self._changed:
            if not error:
                self._api.updates.waiting[bot_id].pop(update["update_id"], None)
            elif not self._stopped:
                hook.error, hook.error_date = error, int(time.time())
                hook.not_before = time.monotonic() + self._retry_delay()
            self._changed.notify_all()

    def _post(self, hook: Hook, update: Json) -> str:
        """Make the request. Answers what went wrong, in Telegram's words."""
        parts = urlsplit(hook.url)
        connection = HTTPConnection(parts.hostname or "", parts.port or 80, timeout=ANSWER_WITHIN)
        headers = {"Content-Type": "application/json"} | ({SECRET_HEADER: hook.secret} if hook.secret else {})
        target = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
        try:
            connection.connect()
            with self._changed:
                if self._stopped:
                    return "Connection closed"
                self._connection = connection
            connection.request("POST", target, dumps(update, ensure_ascii=False).encode(), headers)
            response = connection.getresponse()
            response.read()
        except ConnectionRefusedError:
            return "Connection refused"
        except TimeoutError:
            return "Read timeout expired"
        except (OSError, HTTPException):
            return "Connection reset by peer"
        finally:
            with self._changed:
                self._connection = None
            connection.close()
        if 200 <= response.status < 300:
            return ""
        return f"Wrong response from the webhook: {response.status} {response.reason}"

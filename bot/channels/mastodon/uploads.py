"""The files of posts on a Mastodon account: uploaded before the chain begins, and waited for.

Not through Mastodon.py, which sends files to another address until it was told the server's version, and
hides how far the server is. An upload that was not answered is made again: nobody sees the first one, and
the server removes it after a day. https://docs.joinmastodon.org/methods/media/
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import requests

from threadcast.bot.channels.mastodon.errors import GONE, CallError, Fault, obstacle, of_answer
from threadcast.bot.channels.mastodon.headers import reset_at
from threadcast.bot.channels.mastodon.instance import Instance, dig, fit_to_show
from threadcast.bot.channels.mastodon.session import Calls, read_json
from threadcast.bot.channels.media import ChannelFiles, Upload, Uploads, fault_of
from threadcast.bot.channels.port import Clock
from threadcast.bot.media.errors import MediaError
from threadcast.queue.outcomes import Obstacle, Unreached
from threadcast.queue.sentences import Sentence
from threadcast.queue.text.media import NOT_THERE, UNNAMED, Media

POLLS = (
    1.0,
    1.0,
    2.0,
    3.0,
    5.0,
    *[10.0] * 30,
)  # seconds until the server is asked again: five minutes in all
SENDING = 300.0  # seconds that the server may take over one file


class MastodonFiles(ChannelFiles):
    """`call` makes a call in the account's thread, `rest` waits some seconds."""

    def __init__(
        self,
        known: ChannelFiles,
        api: "MediaApi",
        *,
        call: Callable[[Callable[[], Any]], Awaitable[Any]],
        clock: Clock,
        rest: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        super().__init__(known.store, known.takes, known.pictures)
        self._api = api
        self._call = call
        self._clock = clock
        self._rest = rest
        self._taken: dict[tuple[int, Media], str] = {}  # of a post that is not through yet

    def learn(self, instance: Instance) -> None:
        """Take what the server says of its limits."""
        if self.takes is not None:
            self.takes, self.pictures = instance.media, instance.pictures

    async def accept(
        self, media: Sequence[Media], uploads: Uploads, out: str | None = None
    ) -> Uploads | Obstacle:
        """Upload the files of a post, and wait until the server has looked at each. Never raises.

        Those that a status shows which is `out` are kept: the server tells nothing of them by themselves.
        """
        try:
            shown = await self._call(lambda: self._api.shown(out)) if out and media else frozenset()
            if shown is None:
                return uploads  # it is gone, as the edit will find
            found: list[str] = []
            for index, one in enumerate(media):
                known = uploads[index] if index < len(uploads) else None
                if known in {None, NOT_THERE, UNNAMED}:
                    known = self._taken.get((index, one))
                if known is None or not (known in shown or await self._is_ready(known, one)):
                    known = await self._upload(index, one)
                found.append(known)
        except MediaError as error:
            return fault_of(error)
        except CallError as error:
            return obstacle(error.fault, now=self._clock(), reset=error.reset)
        except TimeoutError:
            return Unreached(Sentence("the server is still at work on the files"))
        for index, one in enumerate(media):
            self._taken.pop((index, one), None)
        return tuple(found)

    async def _upload(self, index: int, media: Media) -> str:
        file = await self.ready(media)
        remote_id, done = await self._call(lambda: self._api.upload(file))
        self._taken[index, media] = remote_id
        if not done and not await self._is_ready(remote_id, media):
            raise _failed(media)
        return str(remote_id)

    async def _is_ready(self, remote_id: str, media: Media) -> bool:
        """Wait until a file that was uploaded can be shown; False where it is gone."""
        for seconds in POLLS:
            match await self._call(lambda: self._api.state(remote_id)):
                case HTTPStatus.OK:
                    return True
                case HTTPStatus.PARTIAL_CONTENT:
                    await self._rest(seconds)
                case HTTPStatus.UNPROCESSABLE_ENTITY | HTTPStatus.BAD_REQUEST:
                    raise _failed(media)
                case _:
                    return False
        raise TimeoutError


def as_focus(point: tuple[float, float] | None) -> str:
    """Return a focal point as the API takes it; the middle where there is none."""
    return ",".join(map(str, point or (0.0, 0.0)))


def _failed(media: Media) -> MediaError:
    return MediaError(
        Sentence("the server cannot use {name}: convert it, or take it out of the text", name=media.name)
    )


class MediaApi:
    """The calls about files. They block, and raise CallError."""

    def __init__(self, calls: Calls, *, clock: Clock) -> None:
        self._calls = calls
        self._clock = clock

    def upload(self, file: Upload) -> tuple[str, bool]:
        """Upload a file; return its id, and whether the server is done with it."""
        given = {"description": file.description} if file.description else {}
        if file.focal_point:
            given["focus"] = as_focus(file.focal_point)
        content = {"file": (file.name, file.content, file.mime)}
        answer = self._calls.ask("POST", "/api/v2/media", files=content, data=given, timeout=SENDING)
        if answer.status_code not in {HTTPStatus.OK, HTTPStatus.ACCEPTED}:
            raise self._fault(answer)
        remote_id = read_json(answer, "id")
        if not isinstance(remote_id, str | int) or not remote_id or not fit_to_show(str(remote_id)):
            raise CallError(Fault("unknown", Sentence("the server's answer to a file cannot be read")))
        return str(remote_id), answer.status_code == HTTPStatus.OK

    def state(self, remote_id: str) -> int:
        """Return how far the server is with a file, as the status of its answer."""
        answer = self._calls.ask("GET", f"/api/v1/media/{remote_id}")
        told = {
            *(HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT, HTTPStatus.BAD_REQUEST),
            *(HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.NOT_FOUND, HTTPStatus.GONE),
        }
        if answer.status_code not in told:
            raise self._fault(answer)
        return answer.status_code

    def shown(self, status: str) -> frozenset[str] | None:
        """Return the ids of the files that a status shows; None where it is gone."""
        answer = self._calls.ask("GET", f"/api/v1/statuses/{quote(status, safe='')}")
        if answer.status_code in GONE:
            return None
        files = read_json(answer, "media_attachments")
        if not answer.ok or not isinstance(files, list):
            raise self._fault(answer)
        return frozenset(str(dig(one, "id")) for one in files)

    def _fault(self, answer: requests.Response) -> CallError:
        fault = of_answer(answer.status_code, read_json(answer, "error"), files=True)
        return CallError(fault, reset_at(answer.headers, now=self._clock()))

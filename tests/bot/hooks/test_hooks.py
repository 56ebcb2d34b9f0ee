"""Webhooks: what a receiver is told, how it knows who tells, and what happens where it does not listen."""

import asyncio
import hmac
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from threading import Event as Gate

import pytest
from structlog.testing import capture_logs

from tests.bot.web.opened import Opened, opened
from tests.bot.web.test_views import add
from tests.contract.store.samples import posts
from tests.servers.http import Answer, Cut, Held, LoopbackServer, Request, Response
from threadcast.bot import wake
from threadcast.bot.channels.build import open_channels
from threadcast.bot.data_folder import open_queue
from threadcast.bot.hooks.hooks import GIVEN_UP, Hooks
from threadcast.bot.publishing.lease import Stop
from threadcast.bot.publishing.publisher import Publisher
from threadcast.bot.requests.input import understand
from threadcast.bot.requests.requests import build_requests
from threadcast.bot.service import Service
from threadcast.config.environment import SettingsError
from threadcast.config.settings import load
from threadcast.queue.model import Claim, Delivery
from threadcast.queue.outcomes import Outcome, Refused, Unknown
from threadcast.queue.states import DeliveryState, Event, decide
from threadcast.queue.store.notes import Notes

SECRET = "a-secret-of-this-test"
PATH = "/a-path-that-is-a-secret"


class Receiver(LoopbackServer):
    """Answers what it is told to, then 204."""

    def __init__(self) -> None:
        super().__init__()
        self.answers: deque[Answer] = deque()

    def handle(self, request: Request) -> Answer:
        return self.answers.popleft() if self.answers else Response(204)

    async def told(self, count: int) -> list[Request]:
        """Wait until so many requests came in."""
        await asyncio.to_thread(self.wait_for, lambda _: len(self.requests) >= count)
        return self.requests

    def given(self) -> dict[str, str]:
        return {"THREADCAST_HOOKS__URL": f"{self.url}{PATH}", "THREADCAST_HOOKS__SECRET": SECRET}


@asynccontextmanager
async def telling(page: Opened, pauses: list[float] | None = None) -> AsyncIterator[Hooks]:
    """Hooks that wait no time between two tries, and note how long it would have been."""
    rests: list[float] = [] if pauses is None else pauses

    async def rest(seconds: float) -> None:
        rests.append(seconds)
        await asyncio.sleep(0)

    hooks = Hooks(
        page.settings,
        page.database.notes,
        requests_of=page.requests_of,
        clock=lambda: page.moment[0],
        chance=lambda: 1.0,
        sleep=rest,
    )
    await hooks.begin()
    try:
        yield hooks
    finally:
        await hooks.abandon()


async def noted(notes: Notes, hook: int = 0) -> None:
    """Wait until it is noted that this was told, or that there is a beginning."""
    async with asyncio.timeout(20):
        while str(hook or "mark") not in notes.read("hooks").get(1, ""):  # noqa: ASYNC110  # nothing tells of it
            await asyncio.sleep(0.01)


async def begun(page: Opened) -> None:
    """Begin to tell: what happened before is not told."""
    async with telling(page):
        await noted(page.database.notes)


async def publish(page: Opened) -> Delivery:
    (channel,) = (one for one in page.site.channels if one.name == "news")
    publisher = Publisher(page.database, channel, worker="one", clock=lambda: page.moment[0], stop=Stop())
    came = await publisher.publish()
    assert isinstance(came, Delivery)
    return came


def claimed(page: Opened) -> Claim:
    now = page.moment[0]
    claim = page.database.work.claim("news", worker="one", now=now, until=now + timedelta(minutes=3))
    assert isinstance(claim, Claim)
    return claim


def stop_at(page: Opened, outcome: Outcome) -> None:
    """The next thread of the channel is claimed, and its first post comes to this."""
    now = page.moment[0]
    change = decide(outcome, last=False, tries=1, now=now, chance=0.5)
    page.database.work.record(claimed(page), None, change, now=now)


def signed(request: Request) -> bool:
    """As a receiver checks it, by the documentation."""
    parts = dict(part.split("=", 1) for part in request.headers["threadcast-signature"].split(","))
    body = parts["t"].encode() + b"." + request.body
    return hmac.compare_digest(hmac.digest(SECRET.encode(), body, "sha256").hex(), parts["v1"])


async def test_what_was_published(tmp_path: Path) -> None:
    """A published thread is told once, signed, with its posts and their addresses as `--json` has them."""
    with Receiver() as receiver, opened(tmp_path, **receiver.given()) as page:
        await begun(page)
        thread = add(page)
        await publish(page)
        async with telling(page):
            (request,) = await receiver.told(1)
            await noted(page.database.notes, request.json["id"])
        assert (request.method, request.path) == ("POST", PATH)
        assert signed(request)
        told = request.json
        assert request.headers["threadcast-event"] == told["event"] == "published"
        assert request.headers["threadcast-event-id"] == str(told["id"])
        delivery = told["delivery"]
        assert (delivery["thread"], delivery["channel"], delivery["state"]) == (thread, "news", "published")
        assert [post["state"] for post in delivery["posts"]] == ["sent", "sent"]
        assert SECRET not in str(request)
        async with telling(page) as hooks:  # over a restart: nothing twice, and then what is new
            hooks.wake()
            add(page, "1/2 Another\n\n2/2 one /end\n")
            await publish(page)
            hooks.wake()
            assert [one.json["delivery"]["thread"] for one in await receiver.told(2)] == [thread, thread + 1]


async def test_what_needs_a_person(tmp_path: Path) -> None:
    """What waits for a yes is told, and what stopped; not what somebody has seen to before it was told."""
    with Receiver() as receiver, opened(tmp_path, **receiver.given()) as page:
        await begun(page)
        changes = page.requests_of("shell:ada").changes
        held, released = add(page, hold=True), add(page, "1/2 Released\n\n2/2 again /end\n", hold=True)
        changes.apply(released, Event.RELEASE)
        stop_at(page, Refused("too long"))
        async with telling(page):
            told = [one.json for one in await receiver.told(3)]
        of = [(one["event"], one["delivery"]["thread"], one["delivery"]["state"]) for one in told]
        assert of[0] == of[1] == ("held", held, "held")
        assert of[2] == ("stopped", released, "failed")
        assert told[2]["delivery"]["reason"] == "too long"


async def test_a_receiver_that_fails(tmp_path: Path) -> None:
    """What does not arrive is told again, later and later, with the same id; what comes after it waits."""
    with Receiver() as receiver, opened(tmp_path, **receiver.given()) as page:
        await begun(page)
        add(page)
        await publish(page)
        away = Response(302, headers={"Location": f"{receiver.url}/elsewhere"})
        receiver.answers.extend([Response(500), Cut(), away])
        pauses: list[float] = []
        with capture_logs() as logs:
            async with telling(page, pauses):
                told = await receiver.told(4)
        assert {one.path for one in told} == {PATH}  # no redirect is followed
        assert len({one.headers["threadcast-event-id"] for one in told}) == 1
        assert all(map(signed, told))
        assert pauses == [2, 4, 8]
        reasons = [one["reason"] for one in logs if one["event"] == "a hook did not arrive"]
        assert reasons == ["answered with 500", "RemoteProtocolError", "answered with 302"]
        assert not [secret for secret in (SECRET, PATH) if secret in str(logs)]


async def test_a_restart(tmp_path: Path) -> None:
    """What did not arrive before the service ended is told after its next start, and nothing else again."""
    with Receiver() as receiver, opened(tmp_path, **receiver.given()) as page:
        await begun(page)
        add(page)
        await publish(page)
        receiver.answers.append(Held(Gate(), Response(204)))
        async with telling(page):
            (first,) = await receiver.told(1)
        async with telling(page):
            again = (await receiver.told(2))[1]
        assert first.headers["threadcast-event-id"] == again.headers["threadcast-event-id"]
        assert first.json == again.json


async def test_given_up(tmp_path: Path) -> None:
    """What did not arrive for three days is left out, with a word in the log; what is newer is told."""
    with Receiver() as receiver, opened(tmp_path, **receiver.given()) as page:
        await begun(page)
        add(page)
        await publish(page)
        page.moment[0] += GIVEN_UP + timedelta(hours=1)
        receiver.answers.append(Response(410))
        add(page, "1/2 Another\n\n2/2 one /end\n")
        await publish(page)
        with capture_logs() as logs:
            async with telling(page):
                told = await receiver.told(2)
        assert [one.json["delivery"]["thread"] for one in told] == [1, 2]
        assert [one["thread"] for one in logs if one["event"] == "a hook was given up"] == [1]


async def test_a_slow_receiver(tmp_path: Path) -> None:
    """However long a receiver takes, no post waits for it, and the service ends without it."""
    with Receiver() as receiver:
        settings = load({"THREADCAST_WEB__LISTEN": "off", **receiver.given()}, folder=tmp_path)
        published: asyncio.Queue[int] = asyncio.Queue()

        def see(delivery: Delivery) -> None:
            if delivery.state is DeliveryState.PUBLISHED:
                published.put_nowait(delivery.thread_id)

        async with open_queue(settings) as database, open_channels(settings, database) as channels:
            service = Service(settings, database, channels, observe=see)
            running = asyncio.create_task(service.run())
            requests = build_requests(settings, database, channels, actor="shell:ada")
            await noted(database.notes)
            receiver.answers.append(Held(Gate(), Response(204)))
            async with asyncio.timeout(20):
                for number in (1, 2):
                    text = f"1/2 Thread {number}\n\n2/2 ends /end\n"
                    requests.threads.add([understand("t.txt", text.encode())])
                    assert wake.wake_service(settings.data)
                    assert await published.get() == number
                    await receiver.told(1)
                service.stop.ask()
                await running
        assert len(receiver.requests) == 1


async def test_in_doubt(tmp_path: Path) -> None:
    """A post that may be out, and that only a person can settle, is told as unsure."""
    with Receiver() as receiver, opened(tmp_path, **receiver.given()) as page:
        await begun(page)
        thread = add(page)
        claim, now = claimed(page), page.moment[0]
        page.database.work.plan(claim, posts(2), now=now)
        page.database.work.intend(claim, 1, key="k", reply_to=None, now=now, until=now + timedelta(minutes=3))
        change = decide(Unknown("no answer"), last=False, tries=1, now=now, chance=0.5)
        page.database.work.record(claim, 1, change, now=now)
        async with telling(page):
            (told,) = await receiver.told(1)
        assert (told.json["event"], told.json["delivery"]["thread"]) == ("unsure", thread)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"URL": "https://example.org/hook"}, "THREADCAST_HOOKS__SECRET"),
        ({"URL": "http://example.org/hook", "SECRET": SECRET}, "an https:// address"),
        ({"URL": "https://example.org/hook", "SECRET": "short"}, "16 characters or more"),
    ],
)
def test_settings_that_do_not_do(tmp_path: Path, given: dict[str, str], said: str) -> None:
    """A receiver needs https, or this machine, and a secret that is long enough; none is shown."""
    with pytest.raises(SettingsError) as error:
        load({f"THREADCAST_HOOKS__{name}": value for name, value in given.items()}, folder=tmp_path)
    assert said in str(error.value)
    assert SECRET not in str(error.value)

"""What the page takes: how soon a view is there, and what open pages cost whoever publishes."""

import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from statistics import median, quantiles
from urllib.parse import urlencode

from tests.benchmarks.figures import Figure
from tests.benchmarks.samples import thread
from tests.benchmarks.stand import ROOT, Stand, stand
from tests.e2e.house import Process
from threadcast.bot.data_folder import prepare
from threadcast.bot.people.pairing import sign_in_link
from threadcast.bot.people.people import Role
from threadcast.config.settings import load
from threadcast.queue.model import NewDelivery, NewThread
from threadcast.queue.states import DeliveryState
from threadcast.queue.text.parse import parse

FIRST_VIEW, PREVIEW = 100.0, 50.0  # milliseconds
LARGEST = 100.0  # KB of a view
SHARE = 5.0  # per cent of a core
KB = 1024
ADDED = 1000  # threads in a transaction
WARM = 3
DELAY = 5.0  # milliseconds
EVEN = "1000"  # posts a second: nobody waits for the chat
SERVES = ("fastapi", "starlette", "uvicorn", "jinja2", "jinja2_fragments", "multipart")


def figures(
    *,
    threads: int = 10_000,
    parts: int = 30,
    rounds: int = 30,
    pages: int = 100,
    seconds: float = 20.0,
    rate: float = 1.0,
    chains: int = 8,
) -> Iterator[Figure]:
    """Views of a real service with so many threads waiting, then so many open pages while chains go out.

    These go out with `rate` posts a second. Then so many `chains` as fast as they can, and as many with
    the pages: at the chat's own pace nobody could tell a delay from it.
    """
    with stand() as here:
        here.house.env["THREADCAST_TELEGRAM__RATE"] = f"{rate:g}"
        fill(here, threads)
        with shown(here) as (service, browser):
            yield from views(browser, threads, parts, rounds)
            yield from open_pages(here, service, browser, pages, parts, seconds)
        here.house.env["THREADCAST_TELEGRAM__RATE"] = EVEN
        with shown(here) as (service, browser):
            yield delay(here, service, browser, pages, parts, chains)
    yield unused()


class Browser:
    """Asks a service's page for views, signed in."""

    def __init__(self, port: int, code: str) -> None:
        self.port = port
        self.cookie = ""
        answer = self.ask("POST", "/sign-in", code=code)
        self.cookie = (answer[1].get("set-cookie") or "").partition(";")[0]

    def ask(self, method: str, path: str, **form: str) -> "tuple[bytes, http.client.HTTPMessage]":
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)) as connection:
            head = (
                {"Cookie": self.cookie, "HX-Request": "true"}
                if form and self.cookie
                else {"Cookie": self.cookie}
            )
            if form:
                head["Content-Type"] = "application/x-www-form-urlencoded"
            connection.request(method, path, urlencode(form) if form else None, head)
            answer = connection.getresponse()
            body = answer.read()
            assert answer.status in {200, 303}, (path, answer.status, body[:300])
            return body, answer.headers

    def took(self, rounds: int, ask: Callable[[], object]) -> list[float]:
        """Milliseconds of each round, after a few that do not count."""
        found: list[float] = []
        for _ in range(WARM + rounds):
            begun = time.perf_counter()
            ask()
            found.append((time.perf_counter() - begun) * 1000)
        return found[WARM:]


def fill(here: Stand, threads: int) -> None:
    """So many threads that wait, on a channel that starts none of them now."""
    here.house.env["THREADCAST_CHANNELS__LATER__KIND"] = "local"
    here.house.env["THREADCAST_CHANNELS__LATER__SCHEDULE"] = "mon 03:00"
    due = datetime.now(UTC) + timedelta(days=1)
    later = (NewDelivery("later", DeliveryState.QUEUED, due),)
    with closing(prepare(load(here.house.env, folder=here.house.folder))) as database:
        for first in range(0, threads, ADDED):
            numbers = range(first, min(first + ADDED, threads))
            new = [NewThread(parse(thread(one, 3))[0], "benchmark", later) for one in numbers]
            database.threads.add(new, now=datetime.now(UTC), actor="benchmark")


@contextmanager
def shown(here: Stand) -> Iterator[tuple[Process, Browser]]:
    """A service that shows its page, and a browser that is signed in there."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    here.house.env["THREADCAST_WEB__LISTEN"] = f"127.0.0.1:{port}"
    with here.service() as service:
        service.wait_for('"event": "page"')
        settings = load(here.house.env, folder=here.house.folder)
        with closing(prepare(settings)) as database:
            link = sign_in_link(
                database.notes, "http://x", Role.OWNER, actor="shell:benchmark", now=datetime.now(UTC)
            )
        yield service, Browser(port, link.partition("code=")[2])


def views(browser: Browser, threads: int, parts: int, rounds: int) -> Iterator[Figure]:
    first = browser.took(rounds, lambda: browser.ask("GET", "/"))
    yield Figure(
        f"page: first view with {threads:,} threads",
        median(first),
        "ms",
        FIRST_VIEW,
        detail=f"median of {rounds}, over HTTP; longest {max(first):.0f} ms",
    )
    writing = browser.ask("GET", "/compose")[0].decode()
    form = {name: _field(writing, name) for name in ("csrf", "seen")}
    text = thread(1, parts)

    def key() -> bytes:
        body = browser.ask("POST", "/compose/preview", **form, text=text)[0]
        form["seen"] = _field(body.decode(), "seen")
        return body

    pressed = browser.took(rounds, key)
    yield Figure(
        f"page: key press to the preview of {parts} parts",
        median(pressed),
        "ms",
        PREVIEW,
        detail=f"median of {rounds}, over HTTP, on three channels; longest {max(pressed):.0f} ms",
    )
    sizes = {path: _weight(browser, path) for path in ("/", "/compose", "/history", "/channels")}
    heaviest = max(sizes, key=lambda path: sizes[path])
    size, loaded = sizes[heaviest]
    yield Figure(
        "page: the heaviest view",
        size,
        "KB",
        LARGEST,
        detail=f"{heaviest}, as it is written; {loaded:.0f} KB of scripts and styles are kept by the browser",
    )


def _field(body: str, name: str) -> str:
    return body.partition(f'name="{name}" value="')[2].partition('"')[0]


def _weight(browser: Browser, path: str) -> tuple[float, float]:
    """Kilobytes of a view, and of all it loads."""
    body = browser.ask("GET", path)[0]
    loaded = {word.partition('"')[0] for word in body.decode().split('"/static/')[1:]}
    return len(body) / KB, sum(len(browser.ask("GET", f"/static/{one}")[0]) for one in loaded) / KB


@contextmanager
def viewers(browser: Browser, pages: int) -> Iterator[Callable[[], int]]:
    """So many pages that are open, in a process of their own; what this yields tells how often they asked."""
    words = [sys.executable, "-m", "tests.benchmarks.viewers", "127.0.0.1", str(browser.port), browser.cookie]
    with subprocess.Popen(
        [*words, str(pages)], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        asked, answers = process.stdin, process.stdout
        assert answers.readline() == "open\n"

        def count() -> int:
            print(file=asked, flush=True)
            return int(answers.readline())

        yield count
        asked.close()


def open_pages(
    here: Stand, service: Process, browser: Browser, pages: int, parts: int, seconds: float
) -> Iterator[Figure]:
    """The same chain without pages and with them, at Telegram's pace; then nothing happens."""
    alone, _ = _while_a_chain_goes_out(here, service, 1, parts)
    with viewers(browser, pages) as asked:
        before = asked()
        watched, _ = _while_a_chain_goes_out(here, service, 2, parts)
        views_given = asked() - before
        idle = _used(service, seconds)
    yield Figure(
        f"page: {pages} open pages while a chain goes out",
        max(0.0, watched - alone) * 100,
        "% of a core",
        SHARE,
        detail=f"a post a second; {views_given} views were asked for; without pages {alone * 100:.1f} %",
    )
    yield Figure(
        f"page: {pages} open pages while nothing happens",
        idle * 100,
        "% of a core",
        SHARE,
        detail=f"in {seconds:g} s",
    )


def delay(here: Stand, service: Process, browser: Browser, pages: int, parts: int, chains: int) -> Figure:
    """Chains without pages and with them take turns; what is compared are the pauses between two posts."""
    alone: list[float] = []
    watched: list[float] = []
    for one in range(chains):
        alone += _while_a_chain_goes_out(here, service, 10 + 2 * one, parts)[1]
        with viewers(browser, pages):
            watched += _while_a_chain_goes_out(here, service, 11 + 2 * one, parts)[1]
    later = [(_p95(watched) - _p95(alone)) * 1000, (median(watched) - median(alone)) * 1000]
    return Figure(
        f"page: how much later a post goes out with {pages} open pages",
        max(0.0, later[1]),
        "ms",
        DELAY,
        detail=f"medians of {len(alone)} pauses, {median(alone) * 1000:.0f} ms without pages; "
        f"their p95: {_p95(alone) * 1000:.0f} ms, {later[0]:+.1f} ms with pages",
    )


def _p95(found: list[float]) -> float:
    return quantiles(found, n=20, method="inclusive")[18]


def _while_a_chain_goes_out(
    here: Stand, service: Process, number: int, parts: int
) -> tuple[float, list[float]]:
    """The share of a core that was used, and the seconds between two posts."""
    begun = here.arrived("telegram")
    done = here.house.command("add", here.house.write(thread(7000 + number, parts)), "-c", "news")
    assert done.returncode == 0, done.stderr
    here.wait("telegram", begun + 1)
    used, at = _computed(service), time.perf_counter()
    here.wait("telegram", begun + parts)
    share = (_computed(service) - used) / (time.perf_counter() - at)
    arrivals = [here.wait("telegram", begun + one) for one in range(1, parts + 1)]
    return share, [later - earlier for earlier, later in pairwise(arrivals)]


def _used(service: Process, seconds: float) -> float:
    used = _computed(service)
    time.sleep(seconds)
    return (_computed(service) - used) / seconds


def _computed(service: Process) -> float:
    """Return the seconds that a process has computed. Linux only."""
    fields = Path(f"/proc/{service.popen.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def unused() -> Figure:
    """What a service without the page imports of it."""
    code = (
        "import sys; from threadcast.bot.service import Service; "
        f"print(len({{name.partition('.')[0] for name in sys.modules}} & set({SERVES!r})))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=ROOT)
    return Figure(
        "page: libraries of it in a service without one",
        int(done.stdout),
        "",
        0,
        detail="of " + ", ".join(SERVES),
    )

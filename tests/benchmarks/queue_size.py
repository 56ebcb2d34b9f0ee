"""Whether a long queue makes a step slow: the same steps with few posts queued and with very many."""

import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from statistics import median

from sqlalchemy import create_engine, insert, text

from tests.benchmarks.figures import Figure
from tests.benchmarks.samples import thread
from tests.servers.postgres import running
from threadcast.queue.compose.compose import compose
from threadcast.queue.compose.length import telegram
from threadcast.queue.compose.rules import Rules
from threadcast.queue.model import Claim
from threadcast.queue.outcomes import Sent
from threadcast.queue.states import DeliveryState, decide
from threadcast.queue.store.database import Database, open_database
from threadcast.queue.store.engine import parse_url
from threadcast.queue.store.rows import content_row, post_row
from threadcast.queue.store.schema import DELIVERIES, POSTS, THREADS
from threadcast.queue.text.parse import parse

PARTS = 10
MOST = 1.5
BATCH = 1_000  # deliveries a statement
START = datetime(2020, 1, 1, tzinfo=UTC)


def figures(
    *, few: int = 1_000, many: int = 1_000_000, rounds: int = 60, postgres_many: int = 200_000
) -> Iterator[Figure]:
    """`few` and `many` posts queued; on PostgreSQL `postgres_many`, none of it where that is 0."""
    with tempfile.TemporaryDirectory(prefix="threadcast-bench-") as folder:
        short, long = (f"sqlite:///{folder}/{name}.sqlite3" for name in ("short", "long"))
        yield _compared("SQLite", (short, few), (long, many), rounds)
    if postgres_many:
        with running() as server, server.database() as short, server.database() as long:
            yield _compared("PostgreSQL", (short, few), (long, postgres_many), rounds)


def _compared(name: str, short: tuple[str, int], long: tuple[str, int], rounds: int) -> Figure:
    with filled(*short) as few, filled(*long) as many:
        _rounds((few, many), 5)  # warm
        few_took, many_took = _rounds((few, many), rounds)
    return Figure(
        f"claim and record, {long[1]:,} posts beside {short[1]:,}, {name}",
        median(many_took) / median(few_took),
        "×",
        MOST,
        detail=f"median of {rounds}; {median(many_took) * 1000:.3g} ms and {median(few_took) * 1000:.3g} ms",
    )


@contextmanager
def filled(url: str, posts: int) -> Iterator[Database]:
    """A queue with so many posts, planned, of deliveries that all wait on one channel."""
    open_database(url).close()
    (sample,) = parse(thread(1, PARTS))
    rules = Rules(limit=4096, measure=telegram)
    planned = [
        post_row(post, delivery_id=0, position=number)
        for number, post in enumerate(compose(sample, rules), start=1)
    ]
    deliveries = posts // PARTS
    engine = create_engine(parse_url(url))
    with engine.begin() as connection:
        connection.execute(
            insert(THREADS), content_row(sample) | {"id": 1, "source": "benchmark", "created": START}
        )
        for first in range(1, deliveries + 1, BATCH):
            ids = range(first, min(first + BATCH, deliveries + 1))
            connection.execute(insert(DELIVERIES), [_delivery(one) for one in ids])
            connection.execute(insert(POSTS), [row | {"delivery_id": one} for one in ids for row in planned])
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE"))
    engine.dispose()
    with closing(open_database(url)) as database:
        yield database


def _delivery(number: int) -> dict[str, object]:
    return {
        "id": number,
        "thread_id": 1,
        "fingerprint": str(number),
        "channel": "news",
        "state": DeliveryState.QUEUED.value,
        "reason": "",
        "rank": number,
        "due": START,
        "created": START,
        "queued": START,
        "own_time": False,
        "fence": 0,
        "posts": PARTS,
        "sent": 0,
    }


def _rounds(stores: tuple[Database, Database], rounds: int) -> tuple[list[float], list[float]]:
    """Seconds that each store took for a step, in turns."""
    took: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        for database, times in zip(stores, took, strict=True):
            begun = time.perf_counter()
            claim = _claim_and_record(database)
            times.append(time.perf_counter() - begun)
            _finish(database, claim)
    return took


def _claim_and_record(database: Database) -> Claim:
    """Claim the next delivery, say that its first post is sent, and record that it was."""
    now = datetime.now(UTC)
    claim = database.work.claim("news", worker="benchmark", now=now, until=now + timedelta(minutes=3))
    assert isinstance(claim, Claim)
    _send(database, claim, 1)
    return claim


def _send(database: Database, claim: Claim, position: int) -> None:
    now = datetime.now(UTC)
    database.work.intend(claim, position, key="key", reply_to=None, now=now, until=now + timedelta(minutes=3))
    sent = decide(Sent("1", None), last=position == PARTS, tries=1, now=now, chance=0.5)
    database.work.record(claim, position, sent, now=now)


def _finish(database: Database, claim: Claim) -> None:
    for position in range(2, PARTS + 1):
        _send(database, claim, position)

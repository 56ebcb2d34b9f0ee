"""The step from one post to the next, which a chain takes most often: compiled once, run as it is.

What SQLAlchemy does anew for each statement takes longer than SQLite does for this whole transaction.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from operator import itemgetter
from typing import Any

from sqlalchemy import ColumnElement, Dialect, Engine, Text, Update, bindparam, func, literal_column, update
from sqlalchemy.sql.compiler import SQLCompiler

from threadcast.queue.model import Claim, StoreError
from threadcast.queue.states import DeliveryState, PostState, Sent
from threadcast.queue.store.direct import direct
from threadcast.queue.store.engine import explained
from threadcast.queue.store.schema import DELIVERIES, POSTS, UtcTime
from threadcast.queue.store.statements import described, hold
from threadcast.queue.store.turns import Turn

_D, _P = DELIVERIES.c, POSTS.c
_TIME = UtcTime()


def _fixed(text: str) -> ColumnElement[str]:
    """A value that is the same each time: part of the statement, so that nobody has to bind it."""
    return literal_column(f"'{text}'", Text)


_COUNT = (
    update(DELIVERIES)
    .where(
        _D.id == bindparam("delivery_"),
        _D.fence == bindparam("fence_"),
        _D.state == _fixed(DeliveryState.PUBLISHING),
        _D.sent == bindparam("before_"),
        _D.posts > bindparam("position_"),
    )
    .values(
        sent=bindparam("position_"),
        reason=_fixed(""),
        code=_fixed(""),
        lease_owner=bindparam("worker_"),
        lease_until=bindparam("until_"),
    )
)
_RECORD = (
    update(POSTS)
    .where(
        _P.delivery_id == bindparam("delivery_"),
        _P.position == bindparam("position_"),
        _P.state.in_([_fixed(PostState.SENDING), _fixed(PostState.UNKNOWN)]),
    )
    .values(
        state=_fixed(PostState.SENT),
        reason=_fixed(""),
        remote_id=bindparam("remote_id_"),
        url=bindparam("url_"),
        finished=bindparam("now_"),
    )
)
_INTEND = (
    update(POSTS)
    .where(
        _P.delivery_id == bindparam("delivery_"),
        _P.position == bindparam("next_"),
        _P.state == _fixed(PostState.PLANNED),
    )
    .values(
        state=_fixed(PostState.SENDING),
        tries=_P.tries + literal_column("1"),
        key=func.coalesce(_P.key, bindparam("key_")),
        reply_to=bindparam("remote_id_"),
        intended=bindparam("now_"),
    )
)


class Steps:
    """The statements of a step in one database's words."""

    def __init__(self, engine: Engine, turn: Turn) -> None:
        self._engine = engine
        self._turn = turn
        self._direct = direct(engine)
        self._count, self._record, self._intend = (
            _Prepared(statement, engine.dialect) for statement in (_COUNT, _RECORD, _INTEND)
        )

    def close(self) -> None:
        self._direct.close()

    def statements(self) -> list[tuple[str, Any]]:
        """Each with a value for everything it asks for, to have it explained."""
        return [prepared.example() for prepared in (self._count, self._record, self._intend)]

    def advance(
        self,
        claim: Claim,
        position: int,
        sent: Sent,
        *,
        key: str,
        now: datetime,
        until: datetime,
        almost: Callable[[], None],
    ) -> None:
        """See `advance`."""
        values = {
            "delivery_": claim.delivery.id,
            "fence_": claim.delivery.fence,
            "worker_": claim.worker,
            "before_": position - 1,
            "position_": position,
            "next_": position + 1,
            "remote_id_": sent.remote_id,
            "url_": sent.url,
            "key_": key,
            "now_": self._moment(now),
            "until_": self._moment(until),
        }
        about = f"of {described(claim.delivery)}"
        try:
            with self._turn(), explained(self._engine.url), self._direct.writing() as cursor:
                self._take(cursor, values, position, about)
                almost()
        except _NotNextError:
            with explained(self._engine.url), self._engine.begin() as connection:
                posts, out = hold(connection, claim)
            raise StoreError(
                f"post {position} {about} is not the next, or the last: {out} of {posts} are out"
            ) from None

    def _moment(self, moment: datetime) -> Any:
        return _TIME.process_bind_param(moment, self._engine.dialect)

    def _take(self, cursor: Any, values: Mapping[str, Any], position: int, about: str) -> None:
        if not self._count.run(cursor, values):
            raise _NotNextError
        if not self._record.run(cursor, values):
            raise StoreError(f"post {position} {about} was not being sent")
        if not self._intend.run(cursor, values):
            raise StoreError(f"post {position + 1} {about} is not planned")


class _NotNextError(Exception):
    """The delivery is not at this post, or no longer ours."""


class _Prepared:
    """An update in one database's words, whose every value is given by name, as that database takes it."""

    def __init__(self, statement: Update, dialect: Dialect) -> None:
        compiled = statement.compile(dialect=dialect)
        assert isinstance(compiled, SQLCompiler)  # noqa: S101  # what a dialect makes of an update
        self._text = compiled.string
        self._names = tuple(compiled.positiontup or compiled.bind_names.values())
        # Where a database's values have no names, they are given in their order.
        self._pick: Callable[[Mapping[str, Any]], Any] = (
            itemgetter(*self._names) if compiled.positional else lambda values: values
        )

    def example(self) -> tuple[str, Any]:
        """The statement, and None for each value."""
        return self._text, self._pick(dict.fromkeys(self._names))

    def run(self, cursor: Any, values: Mapping[str, Any]) -> int:
        """How many rows it changed."""
        cursor.execute(self._text, self._pick(values))
        return int(cursor.rowcount)

"""The step from one post to the next, which a chain takes most often: compiled once, run as it is.

What SQLAlchemy does anew for each statement takes longer than SQLite does for this whole transaction.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import Dialect, Engine, Update, bindparam, func, or_, update
from sqlalchemy.sql.compiler import SQLCompiler

from threadcast.queue.sql.engine import direct, explained
from threadcast.queue.sql.statements import described, hold
from threadcast.queue.sql.tables import DELIVERIES, POSTS
from threadcast.queue.sql.turns import Turn
from threadcast.queue.states import DeliveryState, PostState, Sent
from threadcast.queue.store import Claim, StoreError

_D, _P = DELIVERIES.c, POSTS.c

_COUNT = (
    update(DELIVERIES)
    .where(
        _D.id == bindparam("delivery_"),
        _D.fence == bindparam("fence_"),
        _D.state == DeliveryState.PUBLISHING.value,
        _D.sent == bindparam("before_"),
        _D.posts > bindparam("position_"),
    )
    .values(
        sent=bindparam("position_"),
        reason="",
        lease_owner=bindparam("worker_"),
        lease_until=bindparam("until_"),
    )
)
_RECORD = (
    update(POSTS)
    .where(
        _P.delivery_id == bindparam("delivery_"),
        _P.position == bindparam("position_"),
        or_(_P.state == PostState.SENDING.value, _P.state == PostState.UNKNOWN.value),
    )
    .values(
        state=PostState.SENT.value,
        reason="",
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
        _P.state == PostState.PLANNED.value,
    )
    .values(
        state=PostState.SENDING.value,
        tries=_P.tries + 1,
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
        self._count, self._record, self._intend = (
            _Prepared(statement, engine.dialect) for statement in (_COUNT, _RECORD, _INTEND)
        )

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
        """See `Store.advance`."""
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
            "now_": now,
            "until_": until,
        }
        about = f"of {described(claim.delivery)}"
        try:
            with self._turn(), explained(self._engine.url), direct(self._engine) as cursor:
                self._take(cursor, values, position, about)
                almost()
        except _NotNextError:
            with explained(self._engine.url), self._engine.begin() as connection:
                posts, out = hold(connection, claim)
            raise StoreError(
                f"post {position} {about} is not the next, or the last: {out} of {posts} are out"
            ) from None

    def _take(self, cursor: Any, values: dict[str, Any], position: int, about: str) -> None:
        if not self._count.run(cursor, values):
            raise _NotNextError
        if not self._record.run(cursor, values):
            raise StoreError(f"post {position} {about} was not being sent")
        if not self._intend.run(cursor, values):
            raise StoreError(f"post {position + 1} {about} is not planned")


class _NotNextError(Exception):
    """The delivery is not at this post, or no longer ours."""


class _Prepared:
    """An update whose every value is given by name, or fixed in it."""

    def __init__(self, statement: Update, dialect: Dialect) -> None:
        compiled = statement.compile(dialect=dialect)
        assert isinstance(compiled, SQLCompiler)  # noqa: S101  # what a dialect makes of an update
        self._text = compiled.string
        self._order = compiled.positiontup
        self._fixed: dict[str, Any] = {}
        self._convert: dict[str, Callable[[Any], Any] | None] = {}
        for bind, name in compiled.bind_names.items():
            convert = bind.type.dialect_impl(dialect).bind_processor(dialect)
            if bind.required:
                self._convert[name] = convert
            else:
                self._fixed[name] = convert(bind.value) if convert else bind.value

    def example(self) -> tuple[str, Any]:
        """The statement, and None for each value."""
        return self._text, dict.fromkeys(self._convert) if self._order is None else (None,) * len(self._order)

    def run(self, cursor: Any, values: dict[str, Any]) -> int:
        """How many rows it changed."""
        given = self._fixed | {
            name: convert(values[name]) if convert else values[name]
            for name, convert in self._convert.items()
        }
        parameters: Any = given if self._order is None else tuple(given[name] for name in self._order)
        cursor.execute(self._text, parameters)
        return int(cursor.rowcount)

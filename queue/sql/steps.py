"""The step from one post to the next, which a chain takes most often: compiled once, run as it is.

What SQLAlchemy does anew for each statement takes longer than SQLite does for this whole transaction.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Dialect, Update, bindparam, func, or_, update
from sqlalchemy.sql.compiler import SQLCompiler

from threadcast.queue.sql.statements import described, hold
from threadcast.queue.sql.tables import DELIVERIES, POSTS
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

    def __init__(self, dialect: Dialect) -> None:
        self._count, self._record, self._intend = (
            _Prepared(statement, dialect) for statement in (_COUNT, _RECORD, _INTEND)
        )

    def advance(
        self,
        connection: Connection,
        claim: Claim,
        position: int,
        sent: Sent,
        *,
        key: str,
        now: datetime,
        until: datetime,
    ) -> None:
        """See `Store.advance`; the caller's transaction is open, and undone where this raises."""
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
        if not self._count.run(connection, values):
            posts, out = hold(connection, claim)
            raise StoreError(
                f"post {position} of {described(claim.delivery)} is not the next, or the last: "
                f"{out} of {posts} are out"
            )
        if not self._record.run(connection, values):
            raise StoreError(f"post {position} of {described(claim.delivery)} was not being sent")
        if not self._intend.run(connection, values):
            raise StoreError(f"post {position + 1} of {described(claim.delivery)} is not planned")


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

    def run(self, connection: Connection, values: dict[str, Any]) -> int:
        """How many rows it changed."""
        given = self._fixed | {
            name: convert(values[name]) if convert else values[name]
            for name, convert in self._convert.items()
        }
        parameters: Any = given if self._order is None else tuple(given[name] for name in self._order)
        return connection.exec_driver_sql(self._text, parameters).rowcount

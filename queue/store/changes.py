"""What a person changes in the queue, and what was learned about a channel."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, case, delete, exists, func, or_, select, tuple_, update

from threadcast.queue.errors import Fault, NotAllowedError, NotFoundError, StoreError
from threadcast.queue.model import ChannelRow, ChannelSeen, Delivery
from threadcast.queue.outcomes import Code, Sent
from threadcast.queue.sentences import Sentence
from threadcast.queue.states import (
    BEGINNINGS,
    REQUESTS,
    STOPPING,
    DeliveryState,
    Event,
    PostState,
    follow,
    request,
)
from threadcast.queue.store.rows import (
    FREE_PLACES,
    log,
    note,
    point,
    put,
    read_deliveries,
    read_delivery,
    read_thread,
    refuse_twins,
    take_turns,
    transition,
    upsert,
    value,
    which,
)
from threadcast.queue.store.schema import CHANNELS, DELIVERIES, POSTS
from threadcast.queue.store.transactions import Transactions

_ASKED = Sentence("asked for")
RANK_STEP = 1 << 20  # between two neighbours, so that moving one between them leaves both alone


class Changes:
    """What a person changes in the queue, and what was learned about a channel.

    All times are aware UTC datetimes given by the caller. Each method is one transaction, and may be called
    from several threads. What it raises beside the errors named is StoreError.
    """

    def __init__(self, transactions: Transactions) -> None:
        self._write = transactions.write

    def apply(
        self,
        delivery_id: int,
        event: Event,
        *,
        now: datetime,
        actor: str,
        due: datetime | None = None,
        reason: str = "",
    ) -> Delivery:
        """A person's request: one of `states.REQUESTS`, as `states.request` and `states.written` have it.

        `retry`, and `hold` of what was cancelled, make a `refused` post `planned` again. While a lease
        holds, `stop` is noted as the delivery's `code`, which its worker heeds; what else is asked is
        refused. `due` replaces the delivery's, and is a time of its own; `reason` says why. Raises
        NotFoundError, and NotAllowedError, also where the text of one that was cancelled is live on its
        channel again.
        """
        if event not in REQUESTS:
            raise NotAllowedError(Fault.NOT_ASKED, event=event, possible=tuple(sorted(REQUESTS)))
        with self._write() as connection:
            delivery = read_delivery(connection, delivery_id, lock=True)
            change = request(delivery.state, event, due=due, code=delivery.code)
            if reason:
                change = replace(change, reason=reason)
            if delivery.lease_until is not None and delivery.lease_until > now:
                if event is not Event.STOP:
                    raise NotAllowedError(Fault.AT_WORK, **which(delivery))
                put(connection, delivery, code=change.code, reason=STOPPING)
                return _logged(connection, delivery, event, now=now, actor=actor, detail=_ASKED)
            revived = delivery.state is DeliveryState.CANCELLED
            if revived:
                take_turns(connection, FREE_PLACES)
                refuse_twins(connection, read_thread(connection, delivery.thread_id).thread, [delivery])
            if event is Event.RETRY or revived:
                refused = _of(delivery, PostState.REFUSED)
                connection.execute(update(POSTS).where(*refused).values(state=PostState.PLANNED, reason=""))
            transition(connection, delivery, change, now=now)
            detail = "" if due is None or due <= now else Sentence("at {when}", when=_said(due))
            return _logged(connection, delivery, event, now=now, actor=actor, detail=detail)

    def settle(self, delivery_id: int, sent: Sent | None, *, now: datetime, actor: str) -> Delivery:
        """A person says of an `unsure` delivery's `unknown` post: it is out (`sent`), or it is not (None).

        The post becomes `sent` or `planned`; the delivery goes back to the queue, or is `published`
        where that was its last post. Gives a `settle` event, and with the last post a `finish` event.
        Of any other delivery it is corrected for the post that was in doubt last: its id; or that it is not
        out, where none behind it is. Raises NotFoundError, states.NotAllowedError.
        """
        with self._write() as connection:
            delivery = read_delivery(connection, delivery_id, lock=True)
            if delivery.state is not DeliveryState.UNSURE:
                return _corrected(connection, delivery, sent, now=now, actor=actor)
            last = sent is not None and delivery.sent + 1 == delivery.posts
            values: dict[str, Any] = {"state": PostState.PLANNED, "reason": ""}
            if sent is not None:
                values |= {
                    "state": PostState.SENT,
                    "remote_id": sent.remote_id,
                    "url": sent.url,
                    "album": sent.album,
                }
                values["finished"] = now
            connection.execute(update(POSTS).where(*_of(delivery, PostState.UNKNOWN)).values(values))
            change = request(delivery.state, Event.FINISH if last else Event.SETTLE)
            transition(connection, delivery, change, now=now, sent=delivery.sent + (sent is not None))
            detail = _settled(sent)
            return _logged(connection, delivery, Event.SETTLE, now=now, actor=actor, detail=detail, last=last)

    def skip(self, delivery_id: int, *, now: datetime, actor: str) -> Delivery:
        """Leave the `refused` post of a `failed` delivery out: those behind it move up by one position.

        The delivery goes back to the queue (at once: `own_time`, `due` now), or is `published` where that
        was its last post. Gives a `skip` event that names the post, and with the last post a `finish` event.
        Raises NotFoundError, and NotAllowedError where the state is another, no post is `refused`, or no
        other post would be left.
        """
        with self._write() as connection:
            delivery = read_delivery(connection, delivery_id, lock=True)
            follow(delivery.state, Event.SKIP)
            last = delivery.sent + 1 == delivery.posts
            refused = connection.execute(
                delete(POSTS)
                .where(*_of(delivery, PostState.REFUSED))
                .returning(POSTS.c.position, POSTS.c.part, POSTS.c.reason)
            ).one_or_none()
            if refused is None:
                raise NotAllowedError(Fault.NONE_REFUSED, **which(delivery))
            if delivery.posts == 1:
                raise NotAllowedError(Fault.ONLY_POST, **which(delivery))
            # By way of negative numbers: each position is taken until its post has moved.
            behind = (POSTS.c.delivery_id == delivery_id, POSTS.c.position > refused.position)
            moved = (POSTS.c.delivery_id == delivery_id, POSTS.c.position < 0)
            connection.execute(update(POSTS).where(*behind).values(position=-POSTS.c.position))
            connection.execute(update(POSTS).where(*moved).values(position=-POSTS.c.position - 1))
            change = (
                request(delivery.state, Event.FINISH)
                if last
                else request(delivery.state, Event.SKIP, due=now)
            )
            transition(connection, delivery, change, now=now, posts=delivery.posts - 1)
            detail = Sentence("post {position} (part {part}) is left out: {reason}", **refused._asdict())
            return _logged(connection, delivery, Event.SKIP, now=now, actor=actor, detail=detail, last=last)

    def send_back(self, delivery_id: int, reason: str, *, now: datetime, actor: str) -> Delivery:
        """Somebody does not approve of a `held` delivery: it stays so, and `reason` says why.

        Gives a `send-back` event. Raises NotFoundError, and NotAllowedError where it could not be released.
        """
        with self._write() as connection:
            delivery = read_delivery(connection, delivery_id, lock=True)
            follow(delivery.state, Event.RELEASE)
            put(connection, delivery, reason=reason, code=Code.SENT_BACK)
            return _logged(connection, delivery, "send-back", now=now, actor=actor, detail=reason)

    def withdraw(self, delivery_id: int, *, now: datetime, actor: str) -> Delivery:
        """A person wants its posts gone: it is `withdrawn` from now on; `note_gone` follows for each post.

        Gives a `withdraw` event. Raises NotFoundError, and NotAllowedError where the state does not allow
        it, or no post is out.
        """
        with self._write() as connection:
            delivery = read_delivery(connection, delivery_id, lock=True)
            change = request(delivery.state, Event.WITHDRAW)
            out = exists().where(POSTS.c.delivery_id == delivery_id, POSTS.c.remote_id.is_not(None))
            if not connection.scalar(select(out)):
                raise NotAllowedError(Fault.NONE_OUT, **which(delivery))
            transition(connection, delivery, change, now=now)
            return _logged(connection, delivery, Event.WITHDRAW, now=now, actor=actor)

    def note_gone(self, delivery_id: int, position: int, *, now: datetime, actor: str) -> None:
        """A `sent` post is on the network no more: sets `taken_down`, the first time.

        Of a `withdrawn` delivery, which is being taken down, or a `failed` one: it may have stopped for it.

        Gives a `take-down` event then. Raises NotFoundError, and StoreError for any other post.
        """
        with self._write() as connection:
            delivery = read_delivery(connection, delivery_id, lock=True)
            if delivery.state not in {DeliveryState.WITHDRAWN, DeliveryState.FAILED}:
                raise StoreError(Fault.NOT_STOPPED, **which(delivery))
            here = (*_of(delivery, PostState.SENT), POSTS.c.position == position)
            row = connection.execute(select(POSTS.c.taken_down).where(*here)).one_or_none()
            if row is None:
                raise StoreError(Fault.NOT_OUT, position=position, **which(delivery))
            if row.taken_down is None:
                connection.execute(update(POSTS).where(*here).values(taken_down=now))
                log(connection, delivery, "take-down", actor=actor, now=now, detail=_post(position))
                point(connection, delivery, now)

    def pause(self, channel: str, paused: bool, *, now: datetime, actor: str) -> ChannelRow:
        """Stop claims on a channel, or let them go on. Gives a `pause` or `resume` event where it changed.

        Raises NotFoundError where the channel was never seen.
        """
        with self._write() as connection:
            take_turns(connection, f"claims on {channel}")
            before = _channel(connection, channel)
            if before.paused != paused:
                connection.execute(update(CHANNELS).where(CHANNELS.c.name == channel).values(paused=paused))
                note(connection, "pause" if paused else "resume", channel=channel, actor=actor, now=now)
            return _channel(connection, channel)

    def move(self, delivery_id: int, after: int | None, *, now: datetime, actor: str) -> Delivery:
        """Put a held or queued delivery behind another of its channel, or (None) before all of them.

        Other deliveries keep their order. Raises NotFoundError, and NotAllowedError where either is not
        held or queued, or they are on different channels.
        """
        with self._write() as connection:
            other = delivery_id if after is None else after
            rows = read_deliveries(connection, [delivery_id, other], lock=True)
            for one in (delivery_id, other):
                if one not in rows:
                    raise NotFoundError(Fault.NO_DELIVERY, delivery_id=one)
            delivery, ahead = rows[delivery_id], rows[other]
            for each in (delivery, ahead):
                if each.state not in BEGINNINGS:
                    raise NotAllowedError(Fault.NO_PLACE, **which(each))
            if after is None:
                rank, detail = _before_all(connection, delivery), Sentence("before all others")
            elif after == delivery_id:
                raise NotAllowedError(Fault.BEHIND_ITSELF, **which(delivery))
            elif ahead.channel != delivery.channel:
                raise NotAllowedError(
                    Fault.OTHER_CHANNEL,
                    **which(delivery),
                    other_id=ahead.thread_id,
                    other_channel=ahead.channel,
                )
            else:
                rank = _behind(connection, delivery, ahead)
                detail = Sentence("behind thread {id}", id=ahead.thread_id)
            put(connection, delivery, rank=rank)
            return _logged(connection, delivery, "move", now=now, actor=actor, detail=detail)

    def see_channels(self, channels: Sequence[ChannelSeen], *, now: datetime) -> None:
        """Note the configured channels; new ones are added, others updated.

        A channel that is new, or whose `schedule` is not the one noted, has used every slot up to `now`:
        slots of the past are not made up for under a schedule that was not in force then. With another
        `target` its `rate` and `moved` are forgotten.
        """
        rows = [
            asdict(seen) | {"paused": False, "last_slot": now, "first_seen": now, "last_seen": now}
            for seen in sorted(channels, key=lambda seen: seen.name)  # so that two callers cannot deadlock
        ]
        if not rows:
            return
        with self._write() as connection:
            seen = upsert(connection, CHANNELS)
            fresh: dict[str, Any] = {
                name: seen.excluded[name] for name in ("kind", "target", "schedule", "also", "last_seen")
            }
            kept = or_(
                CHANNELS.c.schedule == seen.excluded.schedule,
                CHANNELS.c.last_slot > seen.excluded.last_slot,  # the clock was set back
            )
            same_place = CHANNELS.c.target == seen.excluded.target
            for learned in ("rate", "moved"):
                fresh[learned] = case((same_place, CHANNELS.c[learned]), else_=None)
            fresh["last_slot"] = case((kept, CHANNELS.c.last_slot), else_=seen.excluded.last_slot)
            connection.execute(seen.on_conflict_do_update(index_elements=["name"], set_=fresh), rows)

    def note_rate(self, channel: str, rate: float) -> None:
        """Remember how many posts a second the channel takes. Raises NotFoundError."""
        with self._write() as connection:
            _channel(connection, channel)
            connection.execute(update(CHANNELS).where(CHANNELS.c.name == channel).values(rate=rate))

    def note_moved(self, channel: str, moved: str, *, now: datetime, actor: str) -> None:
        """Remember where the channel's target is now. Gives a `moved` event where that is news.

        Raises NotFoundError.
        """
        with self._write() as connection:
            known = _channel(connection, channel).moved
            if known != moved:
                connection.execute(update(CHANNELS).where(CHANNELS.c.name == channel).values(moved=moved))
                detail = Sentence("to {address}", address=moved)
                note(connection, "moved", channel=channel, actor=actor, now=now, detail=detail)


def _of(delivery: Delivery, state: PostState) -> tuple[ColumnElement[bool], ...]:
    return POSTS.c.delivery_id == delivery.id, POSTS.c.state == state


def _said(due: datetime) -> str:
    return f"{due.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _settled(sent: Sent | None) -> Sentence:
    return Sentence("not out") if sent is None else Sentence("out as {id}", id=sent.remote_id)


def _post(position: int) -> Sentence:
    return Sentence("post {position}", position=position)


def _corrected(
    connection: Connection, delivery: Delivery, sent: Sent | None, *, now: datetime, actor: str
) -> Delivery:
    """What was said, or found, of a post in doubt is said anew."""
    if delivery.lease_until is not None and delivery.lease_until > now:
        raise NotAllowedError(Fault.AT_WORK, **which(delivery))
    mine = (*_of(delivery, PostState.SENT), POSTS.c.doubted.is_not(None), POSTS.c.taken_down.is_(None))
    newest = (
        select(POSTS.c.position, POSTS.c.remote_id).where(*mine).order_by(POSTS.c.position.desc()).limit(1)
    )
    post = connection.execute(newest).one_or_none()
    if post is None or delivery.state is DeliveryState.WITHDRAWN:
        raise NotAllowedError(Fault.NOTHING_IN_DOUBT, **which(delivery))
    here = update(POSTS).where(POSTS.c.delivery_id == delivery.id, POSTS.c.position == post.position)
    before = {"post": _post(post.position), "before": post.remote_id}
    detail = Sentence("{said}; {post}, before: {before}", said=_settled(sent), **before)
    if sent is not None:
        connection.execute(here.values(remote_id=sent.remote_id, url=sent.url, album=sent.album))
        return _logged(connection, delivery, Event.SETTLE, now=now, actor=actor, detail=detail)
    if post.position != delivery.sent:
        raise NotAllowedError(Fault.BEHIND_IT, position=post.position, **which(delivery))
    connection.execute(
        here.values(state=PostState.PLANNED, remote_id=None, url=None, album=(), finished=None, reason="")
    )
    fewer = delivery.sent - 1
    if delivery.state is DeliveryState.PUBLISHED:
        change = request(delivery.state, Event.SETTLE, due=now)
        transition(connection, delivery, change, now=now, sent=fewer)
    else:
        put(connection, delivery, sent=fewer)
    return _logged(connection, delivery, Event.SETTLE, now=now, actor=actor, detail=detail)


def _logged(
    connection: Connection,
    delivery: Delivery,
    what: str,
    *,
    now: datetime,
    actor: str,
    detail: str = "",
    last: bool = False,
) -> Delivery:
    """Log what a person did, and the chain's end where it came to it; the delivery as it is now."""
    log(connection, delivery, what, actor=actor, now=now, detail=detail)
    if last:
        log(connection, delivery, Event.FINISH, actor=actor, now=now)
    return read_delivery(connection, delivery.id)


def _channel(connection: Connection, name: str) -> ChannelRow:
    """A channel, locked. Raises NotFoundError."""
    query = select(CHANNELS).where(CHANNELS.c.name == name).with_for_update()
    row = connection.execute(query).mappings().one_or_none()
    if row is None:
        raise NotFoundError(Fault.NO_CHANNEL, channel=name)
    return value(ChannelRow, row)


def _before_all(connection: Connection, delivery: Delivery) -> int:
    others = (DELIVERIES.c.channel == delivery.channel, DELIVERIES.c.id != delivery.id)
    lowest = connection.scalar(select(func.min(DELIVERIES.c.rank)).where(*others))
    return delivery.rank if lowest is None else lowest - RANK_STEP


def _behind(connection: Connection, delivery: Delivery, ahead: Delivery) -> int:
    """A rank between a delivery and the next; where there is none, what follows makes room."""
    place = tuple_(DELIVERIES.c.rank, DELIVERIES.c.id)
    later = (
        DELIVERIES.c.channel == delivery.channel,
        DELIVERIES.c.id != delivery.id,
        place > tuple_(ahead.rank, ahead.id),
    )
    following = connection.scalar(select(func.min(DELIVERIES.c.rank)).where(*later))
    if following is None:
        return ahead.rank + RANK_STEP
    room = int(following) - ahead.rank
    if room <= 1:
        connection.execute(update(DELIVERIES).where(*later).values(rank=DELIVERIES.c.rank + RANK_STEP))
        room += RANK_STEP
    return ahead.rank + room // 2

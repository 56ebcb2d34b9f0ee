"""What a worker does with a delivery: claim it, plan its posts, intend each and record what came of it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    Text,
    bindparam,
    func,
    insert,
    literal,
    select,
    union_all,
    update,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.sql.expression import FromClause

from threadcast.queue.compose.rules import Post
from threadcast.queue.errors import Fault, NotFoundError, StoreError
from threadcast.queue.model import Claim, Delivery, Intent, PostRecord, Timing, Turn, at_once, credible
from threadcast.queue.outcomes import CHANNEL_FAULTS, Code
from threadcast.queue.sentences import Sentence
from threadcast.queue.states import Change, DeliveryState, Event, PostState, heed, request
from threadcast.queue.store.rows import (
    adopt,
    correct,
    held,
    intend,
    log,
    not_next,
    post_at,
    post_row,
    put,
    read_delivery,
    read_posts,
    read_thread,
    record_post,
    take_turns,
    transition,
    which,
)
from threadcast.queue.store.schema import CHANNELS, DELIVERIES, POSTS
from threadcast.queue.store.transactions import Transactions

_CLAIMED = Change(Event.CLAIM, None, None, None, keeps_lease=True)


class Work:
    """What a worker does with a delivery.

    All times are aware UTC datetimes given by the caller. Each method is one transaction, from any thread.
    What it raises beside the errors named is StoreError.
    """

    def __init__(self, transactions: Transactions) -> None:
        self._read, self._write = transactions.read, transactions.write

    def claim(
        self, channel: str, *, worker: str, now: datetime, until: datetime, timing: Timing = at_once
    ) -> Claim | datetime | None:
        """Take the channel's next delivery, with a lease until `until`; or say when to ask again.

        First a `publishing` one that is due and whose lease is free or has ended (`lease_until` ≤
        now); else, where no delivery of the channel is `publishing`, the `queued` one of lowest
        (rank, id) among those that may begin: with `own_time`, those that are due (`due` ≤ now);
        without, where `timing` gives a time that has come, those that are due, and where it gives a slot,
        those with `queued` ≤ slot, while the slot is later than the channel's `credible` `last_slot`. A
        delivery that begins by a slot makes it the `last_slot`. Nothing is taken on a paused channel.

        Where there is nothing to take now: the time at which there may be; None where time alone will
        not bring it. `timing` is asked inside the transaction: it is quick, and has no effect.

        Two callers never get the same delivery, nor two deliveries of one channel, nor one slot twice.
        Sets state, lease, fence + 1 and, the first time, `started`; gives a `claim` event. Raises
        NotFoundError where there is a slot and the channel was never seen.
        """
        with self._read() as connection:  # most often there is nothing, and nobody has to wait for that
            answer = _Look(connection, channel, now, timing).answer()
        if not isinstance(answer, int):
            return answer
        with self._write() as connection:
            # No slot is used twice, nobody is overtaken by who begins later, no claim outruns a pause.
            take_turns(connection, f"claims on {channel}")
            look = _Look(connection, channel, now, timing)
            answer = look.answer()
            if not isinstance(answer, int):
                return answer
            before = read_delivery(connection, answer, lock=True)
            if _Look(connection, channel, now, timing).answer() != answer:
                return now  # a person changed it before it was locked
            slot = look.turn.slot if look.turn is not None else None
            if slot is not None and before.state is DeliveryState.QUEUED and not before.own_time:
                connection.execute(update(CHANNELS).where(CHANNELS.c.name == channel).values(last_slot=slot))
            claim = {"lease_owner": worker, "lease_until": until, "fence": before.fence + 1}
            try:
                transition(connection, before, _CLAIMED, now=now, started=before.started or now, **claim)
            except IntegrityError:
                # Another worker began a delivery of this channel in the same moment: its turn, not ours.
                connection.get_transaction().rollback()  # type: ignore[union-attr]  # `_write` has begun it
                return now
            delivery = read_delivery(connection, answer)
            log(connection, delivery, Event.CLAIM, actor=worker, now=now)
            thread = read_thread(connection, delivery.thread_id).thread
            return Claim(delivery, thread, read_posts(connection, answer)[answer], worker)

    def plan(self, claim: Claim, posts: Sequence[Post], *, now: datetime) -> tuple[PostRecord, ...]:
        """Store the posts of a claimed delivery, all `planned`. Raises LeaseLostError.

        Where some are stored already (a published chain that was continued), these go behind them. Of
        an adopted chain the posts of the parts that are out are `sent`, the last with the remote id and
        url of `Adoption.last`, the others with none.

        Raises StoreError where a stored post is not `sent`, or nothing is left to send: no posts, or all of
        them of parts that are out. Gives a `plan` event.
        """
        with self._write() as connection:
            delivery = held(connection, claim)
            stored, sent = delivery.posts, delivery.sent
            if stored > sent:
                raise StoreError(Fault.PLANNED, **which(delivery))
            rows = [
                post_row(post, delivery_id=delivery.id, position=position)
                for position, post in enumerate(posts, stored + 1)
            ]
            out = 0
            if delivery.adoption is not None and not stored:
                out = adopt(rows, delivery.adoption)
                if not out:
                    raise StoreError(Fault.NO_POST_OUT, **which(delivery))
            if len(rows) == out:
                raise StoreError(Fault.NOTHING_TO_POST, **which(delivery))
            put(connection, delivery, posts=stored + len(rows), sent=sent + out)
            connection.execute(insert(POSTS), rows)
            detail = Sentence("{n} post", "{n} posts", n=len(rows))
            detail = Sentence("{posts}, {out} of them out", posts=detail, out=out) if out else detail
            log(connection, delivery, "plan", actor=claim.worker, now=now, detail=detail)
            return read_posts(connection, delivery.id)[delivery.id]

    def note_uploads(self, claim: Claim, position: int, uploads: tuple[str, ...]) -> None:
        """Before a send: the network has the post's files, under these ids. Raises LeaseLostError."""
        with self._write() as connection:
            here = update(POSTS).where(*post_at(held(connection, claim), position))
            connection.execute(here.values(uploads=uploads))

    def intend(
        self, claim: Claim, position: int, *, key: str, reply_to: str | None, now: datetime, until: datetime
    ) -> PostRecord:
        """Before a send: the `planned` post becomes `sending`, durably; the lease now ends at `until`.

        Adds a try, notes time and parent; keeps the key of an earlier try. Raises LeaseLostError,
        and StoreError where the post is not `planned`, or one before it is not out.
        """
        with self._write() as connection:
            delivery = put(connection, held(connection, claim), lease_owner=claim.worker, lease_until=until)
            return intend(connection, delivery, position, Intent(key, until), reply_to, now)

    def record(
        self,
        claim: Claim,
        position: int | None,
        change: Change,
        *,
        now: datetime,
        following: Intent | None = None,
    ) -> tuple[Delivery, PostRecord | None]:
        """After a send: write what `states.decide` decided, post and delivery together.

        With `following` the next post is intended in the same transaction, as `intend` does, as a reply to
        this one, which is out, or to its `parent`; it is the second answer.

        `position` None is for what went wrong before any post (the rules could not be had), and for the end
        of a chain that is all out: only the delivery changes. A post that was sent gets remote id, url and
        `finished`. The delivery takes what `states.written` says of the change; where a person asked to stop
        it, of what `states.heed` makes of that. Gives an event, except for `go-on`.

        Changes nothing and raises LeaseLostError where the fence is no longer the delivery's, and
        StoreError where the change cannot be true: a post changes that is not the next of its chain,
        or goes out and was not being sent, the chain ends in its middle or goes on after its last
        post, or `position` is None with an event that needs one.
        """
        with self._write() as connection:
            delivery = held(connection, claim)
            sent = delivery.sent
            if position is not None:
                if position != sent + 1:
                    raise not_next(delivery, position)
                record_post(connection, delivery, position, change, now)
            elif not _needs_no_post(change, delivery):
                raise StoreError(Fault.NO_POSITION, event=change.event, **which(delivery))
            if change.sent is not None:
                sent += 1
                if (change.event is Event.FINISH) != (sent == delivery.posts):
                    raise StoreError(
                        Fault.WRONG_END, event=change.event, **which(replace(delivery, sent=sent))
                    )
            change = heed(delivery.code, change)
            if change.sent is None or change.event is Event.STOP:
                following = None
            lease = {"lease_owner": claim.worker, "lease_until": following.until} if following else {}
            if change.event is not Event.GO_ON:
                detail = change.reason or ""
                log(connection, delivery, change.event, actor=claim.worker, now=now, detail=detail)
            delivery = transition(connection, delivery, change, now=now, sent=sent, **lease)
            if following is None or change.sent is None:
                return delivery, None
            parent = following.parent or change.sent.remote_id
            return delivery, intend(connection, delivery, sent + 1, following, parent, now)

    def correct(self, claim: Claim, posts: Mapping[int, Post]) -> tuple[PostRecord, ...]:
        """Store what posts of a claimed chain are to say that are out, by position: their edits are planned.

        Return all posts of the chain. Raises LeaseLostError.
        """
        with self._write() as connection:
            delivery = held(connection, claim)
            known = {one.position: one for one in claim.posts}
            new = {place: replace(known[place], post=post) for place, post in posts.items()}
            correct(connection, delivery, new)
            return read_posts(connection, delivery.id)[delivery.id]

    def intend_edit(self, claim: Claim, position: int, *, now: datetime, until: datetime) -> None:
        """Before an edit of a post that is out: it may be made from here on; the lease now ends at `until`.

        Raises LeaseLostError.
        """
        with self._write() as connection:
            delivery = put(connection, held(connection, claim), lease_owner=claim.worker, lease_until=until)
            here = update(POSTS).where(*post_at(delivery, position), POSTS.c.state == PostState.SENT)
            connection.execute(here.values(edit=PostState.SENDING, edited=now))

    def record_edit(
        self, claim: Claim, position: int, change: Change, *, now: datetime, uploads: tuple[str, ...] = ()
    ) -> Delivery:
        """After an edit: write what `states.decide_edit` decided, as `record` does. Raises LeaseLostError.

        `uploads` is what the network calls the files that it shows now, where it said so. Gives an event
        `edited` where it was made, or refused.
        """
        with self._write() as connection:
            delivery = held(connection, claim)
            here = update(POSTS).where(*post_at(delivery, position))
            named = {"uploads": uploads} if uploads else {}
            connection.execute(here.values(edit=change.post, reason=change.reason, **named))
            if change.event is Event.GO_ON:
                detail: str = Sentence("post {position}", position=position)
                if change.reason:
                    detail = Sentence("{post} stays as it was: {reason}", post=detail, reason=change.reason)
                log(connection, delivery, "edited", actor=claim.worker, now=now, detail=detail)
                change = replace(change, reason="")
            change = heed(delivery.code, change)
            if change.event is not Event.GO_ON:
                detail = change.reason or ""
                log(connection, delivery, change.event, actor=claim.worker, now=now, detail=detail)
            return transition(connection, delivery, change, now=now)

    def let_go(self, claim: Claim, *, now: datetime, due: datetime | None = None) -> Delivery:
        """End the lease early: the delivery stays `publishing` and goes on at `due`, or at once.

        One that a person asked to stop is stopped. Raises LeaseLostError.
        """
        with self._write() as connection:
            delivery = held(connection, claim)
            if delivery.code is Code.PERSON:
                log(connection, delivery, Event.STOP, actor=claim.worker, now=now)
                return transition(connection, delivery, request(delivery.state, Event.STOP), now=now)
            return put(connection, delivery, due=due or now, lease_owner=None, lease_until=None)

    def renew(self, claim: Claim, *, until: datetime) -> None:
        """Make the lease end at `until`, while its holder is at long work. Raises LeaseLostError."""
        with self._write() as connection:
            put(connection, held(connection, claim), lease_owner=claim.worker, lease_until=until)

    def free_leases(self, *, now: datetime) -> int:
        """End every lease that runs, for a service that starts and is the only one; how many it ended.

        What waited for its channel to be mended is due at once: it may have been for that that it is started.
        """
        begun = _in_state(DELIVERIES, DeliveryState.PUBLISHING)
        runs = (begun, DELIVERIES.c.lease_until > now)
        waits = (begun, DELIVERIES.c.code.in_(CHANNEL_FAULTS), DELIVERIES.c.due > now)
        with self._write() as connection:
            for one in connection.scalars(select(DELIVERIES.c.id).where(*waits)).all():
                put(connection, read_delivery(connection, one, lock=True), due=now)
            ids = connection.scalars(select(DELIVERIES.c.id).where(*runs)).all()
            for one in ids:
                delivery = read_delivery(connection, one, lock=True)
                put(connection, delivery, lease_owner=None, lease_until=None)
            return len(ids)


def _needs_no_post(change: Change, delivery: Delivery) -> bool:
    is_out = change.event is Event.FINISH and delivery.sent == delivery.posts
    return is_out or change.event in {Event.WAIT, Event.REFUSE}


class _Look:
    """What may be taken on a channel now, in a few index look-ups however long the queue is."""

    def __init__(self, connection: Connection, channel: str, now: datetime, timing: Timing) -> None:
        self._connection = connection
        self._channel = channel
        self._now = now
        self._row: Row[Any] = connection.execute(_QUESTION, {"channel": channel}).one()
        self.turn: Turn | None = None
        if self._row.due is None and self._row.in_turn is not None:
            self.turn = timing(credible(self._row.last_slot, now), self._row.in_turn, now)
            if self.turn.slot is not None and self._row.paused is None:
                raise NotFoundError(Fault.NO_SLOTS, channel=channel)

    def answer(self) -> int | datetime | None:
        """The delivery to take; else the time at which there may be one, or None."""
        row, now = self._row, self._now
        if row.paused:
            return None
        if row.due is not None:
            ready: datetime = max(row.due, row.lease_until or row.due)
            return int(row.begun) if ready <= now else ready
        own = row.own_time is not None and row.own_time <= now
        turn, last_slot = self.turn, credible(row.last_slot, now)
        begins = turn is not None and turn.at is not None and turn.at <= now
        slot = turn.slot if turn is not None else None
        if begins and slot is not None:
            begins = (last_slot is None or last_slot < slot) and row.in_turn <= slot
        if own or begins:
            query = _lowest(own=own, in_turn=begins, by_slot=slot is not None)
            values = {"channel": self._channel, "now": now, "slot": slot}
            found = self._connection.execute(query, values).first()
            if found is not None:
                return int(found.id)
        times = [row.own_time, turn.at if turn is not None else None]
        return min((one for one in times if one is not None and one > now), default=None)


_NOW, _SLOT = (bindparam(name, type_=DELIVERIES.c.due.type) for name in ("now", "slot"))


def _first(*, own_time: bool, by_slot: bool) -> Select[Any]:
    """The first of this kind that may begin: a queue of which none may is not walked."""
    waiting = DELIVERIES.alias("own" if own_time else "turn")
    # Expressions hide the times from their own indexes: the planner shall walk the queue in its order
    # and stop at the first, and not sort all that fits.
    fits: list[ColumnElement[bool]] = [func.coalesce(waiting.c.due, _NOW) <= _NOW]
    if by_slot:
        fits.append(func.coalesce(waiting.c.queued, _NOW) <= _SLOT)
    return (
        select(waiting.c.id, waiting.c.rank)
        .where(
            waiting.c.channel == bindparam("channel", type_=Text),
            _in_state(waiting, DeliveryState.QUEUED),
            waiting.c.own_time if own_time else ~waiting.c.own_time,
            *fits,
        )
        .order_by(waiting.c.rank, waiting.c.id)
        .limit(1)
    )


@cache
def _lowest(*, own: bool, in_turn: bool, by_slot: bool) -> Select[Any]:
    """The first of `channel` at `now`, of those with a time of their own and of those in turn, or of both."""
    firsts = [_first(own_time=True, by_slot=False)] if own else []
    firsts += [_first(own_time=False, by_slot=by_slot)] if in_turn else []
    each = [select(first.subquery(f"first_{number}")) for number, first in enumerate(firsts)]
    rows = union_all(*each).subquery("first")
    return select(rows.c.id).order_by(rows.c.rank, rows.c.id).limit(1)


def _in_state(deliveries: FromClause, state: DeliveryState) -> ColumnElement[bool]:
    """The state as a literal: a bound value would hide from the planner that a partial index fits."""
    return deliveries.c.state == literal(state.value, Text, literal_execute=True)


def _question() -> Select[Any]:
    """What waits on the channel given as `channel`: always one row."""
    begun, own, turn = (DELIVERIES.alias(name) for name in ("begun", "own", "turn"))
    here = bindparam("channel", type_=Text)
    is_begun = (begun.c.channel == here, _in_state(begun, DeliveryState.PUBLISHING))
    is_own = (own.c.channel == here, _in_state(own, DeliveryState.QUEUED), own.c.own_time)
    is_in_turn = (turn.c.channel == here, _in_state(turn, DeliveryState.QUEUED), ~turn.c.own_time)
    columns: dict[str, Select[Any]] = {
        "begun": select(begun.c.id).where(*is_begun),
        "due": select(begun.c.due).where(*is_begun),
        "lease_until": select(begun.c.lease_until).where(*is_begun),
        "own_time": select(func.min(own.c.due)).where(*is_own),
        "in_turn": select(func.min(turn.c.queued)).where(*is_in_turn),
        "last_slot": select(CHANNELS.c.last_slot).where(CHANNELS.c.name == here),
        "paused": select(CHANNELS.c.paused).where(CHANNELS.c.name == here),
    }
    return select(*(query.scalar_subquery().label(name) for name, query in columns.items()))


_QUESTION = _question()  # built once: building takes longer than the answer

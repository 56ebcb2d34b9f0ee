"""A queue in memory: for tests that need a store and no disk, and the model of the SQL stores."""

import threading
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime

from threadcast.queue.compose import Post
from threadcast.queue.states import (
    BEGINNINGS,
    LIVE,
    REQUESTS,
    Change,
    DeliveryState,
    Event,
    NotAllowedError,
    PostState,
    Sent,
    follow,
)
from threadcast.queue.store import (
    Added,
    AuditEvent,
    ChannelRow,
    Claim,
    Delivery,
    Duplicate,
    LeaseLostError,
    NewDelivery,
    NewThread,
    NotFoundError,
    PostRecord,
    StoredThread,
    StoreError,
)

PUBLISHING, QUEUED = DeliveryState.PUBLISHING, DeliveryState.QUEUED


class MemoryStore:
    """Rows are frozen values in dictionaries; one lock makes each method a transaction."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._threads: dict[int, StoredThread] = {}
        self._deliveries: dict[int, Delivery] = {}
        self._posts: dict[int, tuple[PostRecord, ...]] = defaultdict(tuple)
        self._channels: dict[str, ChannelRow] = {}
        self._events: list[AuditEvent] = []

    def close(self) -> None:
        pass

    def see_channels(self, channels: Sequence[tuple[str, str, str]], *, now: datetime) -> None:
        now = utc(now)
        with self._lock:
            for name, kind, target in channels:
                first = self._channels[name].first_seen if name in self._channels else now
                self._channels[name] = ChannelRow(name, kind, target, first, now)

    def channels(self) -> tuple[ChannelRow, ...]:
        with self._lock:
            return tuple(row for _, row in sorted(self._channels.items()))

    def add(
        self,
        threads: Sequence[NewThread],
        *,
        now: datetime,
        actor: str,
        again: bool = False,
        since: datetime | None = None,
    ) -> tuple[Added, ...]:
        now = utc(now)
        wishes = [wish for new in threads for wish in new.deliveries]
        if any(wish.state not in BEGINNINGS for wish in wishes):
            raise StoreError("a delivery begins held or queued")
        for wish in wishes:
            utc(wish.due)
        with self._lock:
            known = self._known(again=again, since=None if since is None else utc(since))
            return tuple(self._add(new, known, now=now, actor=actor) for new in threads)

    def claim(self, channel: str, *, worker: str, now: datetime, until: datetime) -> Claim | None:
        now, until = utc(now), utc(until)
        with self._lock:
            mine = [delivery for delivery in self._deliveries.values() if delivery.channel == channel]
            begun = [delivery for delivery in mine if delivery.state is PUBLISHING]
            waiting = [delivery for delivery in begun if (delivery.lease_until or now) <= now]
            if not begun:
                waiting = [delivery for delivery in mine if delivery.state is QUEUED]
            due = [delivery for delivery in waiting if delivery.due <= now]
            if not due:
                return None
            delivery = min(due, key=lambda one: (one.rank, one.id))
            delivery = self._put(
                replace(
                    delivery,
                    state=follow(delivery.state, Event.CLAIM),
                    lease_owner=worker,
                    lease_until=until,
                    fence=delivery.fence + 1,
                    started=delivery.started or now,
                )
            )
            self._log(delivery, Event.CLAIM, actor=worker, now=now)
            thread = self._threads[delivery.thread_id].thread
            return Claim(delivery, thread, self._posts[delivery.id], worker)

    def plan(self, claim: Claim, posts: Sequence[Post], *, now: datetime) -> tuple[PostRecord, ...]:
        now = utc(now)
        with self._held(claim) as delivery:
            if delivery.posts or not posts:
                raise StoreError("planned already, or nothing to post")
            self._posts[delivery.id] = tuple(
                PostRecord(position, post, PostState.PLANNED, None, None, None, None, 0, None, None, "")
                for position, post in enumerate(posts, 1)
            )
            self._put(replace(delivery, posts=len(posts)))
            self._log(delivery, "plan", actor=claim.worker, now=now, detail=f"{len(posts)} posts")
            return self._posts[delivery.id]

    def intend(
        self, claim: Claim, position: int, *, key: str, reply_to: str | None, now: datetime, until: datetime
    ) -> PostRecord:
        now, until = utc(now), utc(until)
        with self._held(claim) as delivery:
            if position != delivery.sent + 1:
                raise StoreError(f"post {position} is not the next")
            record = self._post(delivery, position, PostState.PLANNED)
            self._put(replace(delivery, lease_owner=claim.worker, lease_until=until))
            return self._put_post(
                delivery,
                replace(
                    record,
                    state=PostState.SENDING,
                    tries=record.tries + 1,
                    key=record.key or key,
                    reply_to=reply_to,
                    intended=now,
                ),
            )

    def record(self, claim: Claim, position: int | None, change: Change, *, now: datetime) -> Delivery:
        now = utc(now)
        state = follow(PUBLISHING, change.event)
        with self._held(claim) as delivery:
            if position is None and change.event not in {Event.WAIT, Event.REFUSE}:
                raise StoreError("no post named")
            sent = delivery.sent + (change.sent is not None)
            if change.sent and (state is DeliveryState.PUBLISHED) != (sent == delivery.posts):
                raise StoreError("not the last post, or not decided as the last")
            if position is not None:
                if position != delivery.sent + 1:
                    raise StoreError(f"post {position} is not the next")
                before = {PostState.SENDING, PostState.UNKNOWN}
                if change.sent is None:
                    before.add(PostState.PLANNED)
                record = self._post(delivery, position, *before)
                record = replace(record, state=change.post, reason=change.reason)
                self._put_post(delivery, with_place(record, change.sent, now=now))
            ended = state in {DeliveryState.PUBLISHED, DeliveryState.FAILED}
            if change.event is not Event.GO_ON:
                self._log(delivery, change.event, actor=claim.worker, now=now, detail=change.reason)
            return self._put(
                replace(
                    delivery,
                    state=state,
                    reason=change.reason,
                    sent=sent,
                    due=utc(change.due) if change.due else delivery.due,
                    finished=now if ended else delivery.finished,
                    lease_owner=delivery.lease_owner if change.keeps_lease else None,
                    lease_until=delivery.lease_until if change.keeps_lease else None,
                )
            )

    def advance(
        self, claim: Claim, position: int, sent: Sent, *, key: str, now: datetime, until: datetime
    ) -> None:
        now, until = utc(now), utc(until)
        with self._held(claim) as delivery:
            if position != delivery.sent + 1:
                raise StoreError(f"post {position} is not the next")
            record = self._post(delivery, position, PostState.SENDING, PostState.UNKNOWN)
            following = self._post(delivery, position + 1, PostState.PLANNED)
            self._put_post(
                delivery, with_place(replace(record, state=PostState.SENT, reason=""), sent, now=now)
            )
            self._put_post(
                delivery,
                replace(
                    following,
                    state=PostState.SENDING,
                    tries=following.tries + 1,
                    key=following.key or key,
                    reply_to=sent.remote_id,
                    intended=now,
                ),
            )
            self._put(
                replace(delivery, sent=position, reason="", lease_owner=claim.worker, lease_until=until)
            )

    def let_go(self, claim: Claim, *, now: datetime) -> None:
        with self._held(claim) as delivery:
            self._put(replace(delivery, due=utc(now), lease_owner=None, lease_until=None))

    def free_leases(self, *, now: datetime) -> int:
        now = utc(now)
        with self._lock:
            held = [row for row in self._deliveries.values() if row.lease_until and row.lease_until > now]
            for delivery in held:
                self._put(replace(delivery, lease_owner=None, lease_until=None))
            return len(held)

    def next_due(self, channel: str, *, now: datetime) -> datetime | None:
        now = utc(now)
        with self._lock:
            mine = [delivery for delivery in self._deliveries.values() if delivery.channel == channel]
            begun = [max(row.due, row.lease_until or now) for row in mine if row.state is PUBLISHING]
            moments = begun or [row.due for row in mine if row.state is QUEUED]
            return max(min(moments), now) if moments else None

    def apply(
        self, delivery_id: int, event: Event, *, now: datetime, actor: str, due: datetime | None = None
    ) -> Delivery:
        now = utc(now)
        if event not in REQUESTS:
            raise NotAllowedError(f"{event} is nothing to ask for")
        with self._lock:
            delivery = self._find(delivery_id)
            state = follow(delivery.state, event)
            delivery = replace(delivery, state=state, due=utc(due) if due else delivery.due)
            if state is QUEUED:
                delivery = replace(delivery, reason="", finished=None)
            if state is DeliveryState.CANCELLED:
                delivery = replace(delivery, finished=now)
            if event is Event.RETRY:
                for record in self._posts[delivery_id]:
                    if record.state is PostState.REFUSED:
                        self._put_post(delivery, replace(record, state=PostState.PLANNED, reason=""))
            self._log(delivery, event, actor=actor, now=now)
            return self._put(delivery)

    def settle(self, delivery_id: int, sent: Sent | None, *, now: datetime, actor: str) -> Delivery:
        now = utc(now)
        with self._lock:
            delivery = self._find(delivery_id)
            state = follow(delivery.state, Event.SETTLE)
            (record,) = (one for one in self._posts[delivery_id] if one.state is PostState.UNKNOWN)
            record = replace(record, state=PostState.SENT if sent else PostState.PLANNED, reason="")
            self._put_post(delivery, with_place(record, sent, now=now))
            delivery = replace(delivery, reason="", sent=delivery.sent + (sent is not None))
            detail = f"out as {sent.remote_id}" if sent else "not out"
            self._log(delivery, Event.SETTLE, actor=actor, now=now, detail=detail)
            if delivery.sent == delivery.posts:
                state = follow(delivery.state, Event.FINISH)
                delivery = replace(delivery, finished=now)
                self._log(delivery, Event.FINISH, actor=actor, now=now)
            return self._put(replace(delivery, state=state))

    def thread(self, thread_id: int) -> StoredThread:
        with self._lock:
            if thread_id not in self._threads:
                raise NotFoundError(f"there is no thread {thread_id}")
            return self._threads[thread_id]

    def delivery(self, delivery_id: int) -> Delivery:
        with self._lock:
            return self._find(delivery_id)

    def deliveries(
        self,
        *,
        states: frozenset[DeliveryState] | None = None,
        channel: str | None = None,
        thread_id: int | None = None,
        newest_first: bool = False,
        limit: int | None = None,
    ) -> tuple[Delivery, ...]:
        with self._lock:
            fitting = [
                row
                for row in self._deliveries.values()
                if (states is None or row.state in states)
                and (channel is None or row.channel == channel)
                and (thread_id is None or row.thread_id == thread_id)
            ]
        if newest_first:
            fitting.sort(key=lambda row: (row.finished or row.created, row.id), reverse=True)
        else:
            fitting.sort(key=lambda row: (row.channel, row.state is not PUBLISHING, row.rank, row.id))
        return tuple(fitting[:limit])

    def posts(self, delivery_id: int) -> tuple[PostRecord, ...]:
        with self._lock:
            return self._posts[delivery_id]

    def events(self, *, thread_id: int | None = None, limit: int | None = None) -> tuple[AuditEvent, ...]:
        with self._lock:
            fitting = [event for event in self._events if thread_id in {None, event.thread_id}]
            return tuple(fitting if limit is None else fitting[len(fitting) - min(limit, len(fitting)) :])

    def _known(self, *, again: bool, since: datetime | None) -> dict[tuple[str, str], Delivery]:
        known = {}
        states = LIVE if again else LIVE | {DeliveryState.PUBLISHED}
        order = {**dict.fromkeys(LIVE, 2), DeliveryState.PUBLISHED: 1}
        for row in sorted(self._deliveries.values(), key=lambda row: (order.get(row.state, 0), row.id)):
            if row.state in states or (since is not None and row.created >= since):
                known[row.channel, self._threads[row.thread_id].thread.fingerprint] = row
        return known

    def _add(
        self, new: NewThread, known: dict[tuple[str, str], Delivery], *, now: datetime, actor: str
    ) -> Added:
        thread_id = len(self._threads) + 1
        deliveries: list[Delivery] = []
        duplicates: list[Duplicate] = []
        for wish in new.deliveries:
            place = (wish.channel, new.thread.fingerprint)
            if place in known:
                duplicates.append(Duplicate(wish.channel, known[place]))
                continue
            known[place] = self._put(self._new(wish, thread_id=thread_id, title=new.thread.title, now=now))
            deliveries.append(known[place])
            self._log(known[place], "add", actor=actor, now=now, detail=new.source)
        if not deliveries:
            return Added(None, (), tuple(duplicates))
        self._threads[thread_id] = StoredThread(thread_id, new.thread, new.source, now)
        return Added(thread_id, tuple(deliveries), tuple(duplicates))

    def _new(self, wish: NewDelivery, *, thread_id: int, title: str, now: datetime) -> Delivery:
        return Delivery(
            id=len(self._deliveries) + 1,
            thread_id=thread_id,
            channel=wish.channel,
            state=wish.state,
            reason=wish.reason,
            rank=len(self._deliveries) + 1,
            due=utc(wish.due),
            created=now,
            started=None,
            finished=None,
            lease_owner=None,
            lease_until=None,
            fence=0,
            posts=0,
            sent=0,
            title=title,
        )

    @contextmanager
    def _held(self, claim: Claim) -> Iterator[Delivery]:
        with self._lock:
            delivery = self._deliveries[claim.delivery.id]
            if delivery.fence != claim.delivery.fence or delivery.state is not PUBLISHING:
                raise LeaseLostError(f"{claim.worker} no longer holds delivery {delivery.id}")
            yield delivery

    def _find(self, delivery_id: int) -> Delivery:
        if delivery_id not in self._deliveries:
            raise NotFoundError(f"there is no delivery {delivery_id}")
        return self._deliveries[delivery_id]

    def _post(self, delivery: Delivery, position: int, *states: PostState) -> PostRecord:
        for record in self._posts[delivery.id]:
            if record.position == position and record.state in states:
                return record
        raise StoreError(f"post {position} is not {' or '.join(states)}")

    def _put(self, delivery: Delivery) -> Delivery:
        self._deliveries[delivery.id] = delivery
        return delivery

    def _put_post(self, delivery: Delivery, record: PostRecord) -> PostRecord:
        posts = self._posts[delivery.id]
        self._posts[delivery.id] = (*posts[: record.position - 1], record, *posts[record.position :])
        return record

    def _log(self, delivery: Delivery, what: str, *, actor: str, now: datetime, detail: str = "") -> None:
        about = (delivery.thread_id, delivery.id, delivery.channel)
        self._events.append(AuditEvent(len(self._events) + 1, now, actor, str(what), *about, detail))


def utc(moment: datetime) -> datetime:
    if moment.utcoffset() is None:
        raise StoreError("a time without a zone")
    return moment.astimezone(UTC)


def with_place(record: PostRecord, sent: Sent | None, *, now: datetime) -> PostRecord:
    if sent is None:
        return record
    return replace(record, remote_id=sent.remote_id, url=sent.url, finished=now)

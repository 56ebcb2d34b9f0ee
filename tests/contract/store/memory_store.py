"""A queue in memory: for tests that need a store and no disk, and the model of the SQL stores."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime

from tests.contract.store.memory_notebook import MemoryNotebook
from tests.contract.store.memory_owner import MemoryOwner
from tests.contract.store.memory_rows import STEP, utc, with_place
from threadcast.queue.compose.compose import Post
from threadcast.queue.port import (
    ANY,
    Added,
    AuditEvent,
    ChannelRow,
    ChannelSeen,
    Claim,
    Delivery,
    Duplicate,
    LeaseLostError,
    NewDelivery,
    NewThread,
    NotFoundError,
    Opening,
    PostRecord,
    StoredThread,
    StoreError,
    Waiting,
    credible,
)
from threadcast.queue.states import (
    BEGINNINGS,
    LIVE,
    Change,
    DeliveryState,
    Event,
    NotAllowedError,
    PostState,
    Sent,
    follow,
)

PUBLISHING, QUEUED = DeliveryState.PUBLISHING, DeliveryState.QUEUED
LIVE_OR_PUBLISHED = LIVE | {DeliveryState.PUBLISHED}


class MemoryStore(MemoryOwner):
    """Everything a queue does; what a person changes is in its base."""

    def close(self) -> None:
        pass

    def notebook(self) -> MemoryNotebook:
        return self._notebook

    def see_channels(self, channels: Sequence[ChannelSeen], *, now: datetime) -> None:
        now = utc(now)
        with self._lock:
            for seen in channels:
                row = self._channels.get(seen.name)
                last_slot = row.last_slot if row else None
                if row is None or row.schedule != seen.schedule:
                    last_slot = max(last_slot or now, now)
                self._channels[seen.name] = ChannelRow(
                    name=seen.name,
                    kind=seen.kind,
                    target=seen.target,
                    schedule=seen.schedule,
                    paused=row.paused if row else False,
                    last_slot=last_slot,
                    first_seen=row.first_seen if row else now,
                    last_seen=now,
                    rate=row.rate if row and row.target == seen.target else None,
                    moved=row.moved if row and row.target == seen.target else None,
                )

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
        check(threads)
        with self._lock:
            known = self._known(
                LIVE if again else LIVE_OR_PUBLISHED, since=None if since is None else utc(since)
            )
            return tuple(
                self._add(new, known, self._last_thread + 1, now=now, actor=actor) for new in threads
            )

    def add_to(
        self, thread_id: int, deliveries: Sequence[NewDelivery], *, now: datetime, actor: str
    ) -> Added:
        now = utc(now)
        with self._lock:
            mine = {row.channel for row in self._of(thread_id)}
            stored = self._threads[thread_id]
            new = NewThread(stored.thread, stored.source, tuple(deliveries))
            check([new])
            if any(wish.channel in mine for wish in deliveries):
                raise NotAllowedError("it is meant for that channel already")
            return self._add(new, self._known(LIVE_OR_PUBLISHED), thread_id, now=now, actor=actor)

    def claim(
        self, channel: str, *, worker: str, now: datetime, until: datetime, opening: Opening = ANY
    ) -> Claim | None:
        now, until = utc(now), utc(until)
        slot = opening.slot and utc(opening.slot)
        with self._lock:
            row = self._channels.get(channel)
            if slot and row is None:
                raise NotFoundError(f"there is no channel {channel}")
            last_slot = credible(row.last_slot, now) if row else None
            used = bool(slot and last_slot and last_slot >= slot)
            mine = self._on(channel)
            takeable = [one for one in mine if one.state is PUBLISHING and (one.lease_until or now) <= now]
            if not any(one.state is PUBLISHING for one in mine):
                takeable = [
                    one
                    for one in mine
                    if one.state is QUEUED
                    and (one.own_time or (opening.turn and not used and (slot is None or one.queued <= slot)))
                ]
            due = [one for one in takeable if one.due <= now]
            if not due or (row and row.paused):
                return None
            delivery = due[0]
            if slot and row and delivery.state is QUEUED and not delivery.own_time:
                self._channels[channel] = replace(row, last_slot=slot)
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
            if delivery.posts > delivery.sent:
                raise StoreError("planned already")
            planned = [
                PostRecord(position, post, PostState.PLANNED, None, None, None, None, 0, None, None, "")
                for position, post in enumerate(posts, delivery.posts + 1)
            ]
            adoption = None if delivery.posts else delivery.adoption
            out = [one for one in planned if adoption and one.post.part <= adoption.parts]
            if len(out) == len(planned) or (adoption and not out):
                raise StoreError("nothing to post, or nothing to go on from")
            for index, record in enumerate(out):
                planned[index] = replace(record, state=PostState.SENT)
            if adoption:
                planned[len(out) - 1] = with_place(planned[len(out) - 1], adoption.last, now=None)
            self._posts[delivery.id] += tuple(planned)
            count = len(self._posts[delivery.id])
            self._put(replace(delivery, posts=count, sent=delivery.sent + len(out)))
            detail = f"{len(posts)} posts" + (f", {len(out)} of them out" if out else "")
            self._log(delivery, "plan", actor=claim.worker, now=now, detail=detail)
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
                doubted = record.doubted
                if change.post is PostState.UNKNOWN:
                    doubted = doubted or record.intended
                record = replace(
                    record, state=change.post, reason=change.reason, misses=change.misses, doubted=doubted
                )
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
        self,
        claim: Claim,
        position: int,
        sent: Sent,
        *,
        key: str,
        now: datetime,
        until: datetime,
        almost: Callable[[], None] = lambda: None,
    ) -> None:
        now, until = utc(now), utc(until)
        with self._held(claim) as delivery:
            if position != delivery.sent + 1:
                raise StoreError(f"post {position} is not the next")
            record = self._post(delivery, position, PostState.SENDING, PostState.UNKNOWN)
            following = self._post(delivery, position + 1, PostState.PLANNED)
            almost()
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

    def let_go(self, claim: Claim, *, now: datetime, due: datetime | None = None) -> None:
        with self._held(claim) as delivery:
            self._put(replace(delivery, due=utc(due or now), lease_owner=None, lease_until=None))

    def renew(self, claim: Claim, *, until: datetime) -> None:
        until = utc(until)
        with self._held(claim) as delivery:
            self._put(replace(delivery, lease_owner=claim.worker, lease_until=until))

    def free_leases(self, *, now: datetime) -> int:
        now = utc(now)
        with self._lock:
            held = [row for row in self._deliveries.values() if row.lease_until and row.lease_until > now]
            for delivery in held:
                self._put(replace(delivery, lease_owner=None, lease_until=None))
            return len(held)

    def waiting(self, channel: str) -> Waiting:
        with self._lock:
            mine = self._on(channel)
            begun = [max(one.due, one.lease_until or one.due) for one in mine if one.state is PUBLISHING]
            queued = [] if begun else [one for one in mine if one.state is QUEUED]
            row = self._channels.get(channel)
            return Waiting(
                under_way=begun[0] if begun else None,
                own_time=min((one.due for one in queued if one.own_time), default=None),
                in_turn=min((one.queued for one in queued if not one.own_time), default=None),
                last_slot=row.last_slot if row else None,
                paused=row.paused if row else False,
            )

    def landmark(self, channel: str) -> PostRecord | None:
        with self._lock:
            known = [
                (record.finished, delivery.id, record.position, record)
                for delivery in self._on(channel)
                for record in self._posts[delivery.id]
                if record.remote_id and record.finished and not record.taken_down
            ]
            return max(known, key=lambda one: one[:3])[3] if known else None

    def sent_since(self, channel: str, moment: datetime) -> int:
        moment = utc(moment)
        with self._lock:
            return sum(
                bool(record.remote_id and record.finished and record.finished >= moment)
                for delivery in self._on(channel)
                for record in self._posts[delivery.id]
            )

    def note_rate(self, channel: str, rate: float) -> None:
        with self._lock:
            self._channels[channel] = replace(self._seen(channel), rate=rate)

    def note_moved(self, channel: str, moved: str, *, now: datetime, actor: str) -> None:
        with self._lock:
            row = self._seen(channel)
            self._channels[channel] = replace(row, moved=moved)
            if row.moved != moved:
                self._note("moved", (None, None, channel), actor=actor, now=utc(now), detail=f"to {moved}")

    def _seen(self, channel: str) -> ChannelRow:
        if channel not in self._channels:
            raise NotFoundError(f"there is no channel {channel}")
        return self._channels[channel]

    def thread(self, thread_id: int) -> StoredThread:
        with self._lock:
            if thread_id not in self._threads:
                raise NotFoundError(f"there is no thread {thread_id}; see: threadcast queue")
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

    def posts_of(self, delivery_ids: Sequence[int]) -> dict[int, tuple[PostRecord, ...]]:
        with self._lock:
            return {one: self._posts.get(one, ()) for one in delivery_ids}

    def events(
        self, *, thread_id: int | None = None, limit: int | None = None, after: int | None = None
    ) -> tuple[AuditEvent, ...]:
        with self._lock:
            fitting = [
                event
                for event in self._events
                if thread_id in {None, event.thread_id} and event.id > (after or 0)
            ]
            return tuple(fitting if limit is None else fitting[len(fitting) - min(limit, len(fitting)) :])

    def _add(
        self,
        new: NewThread,
        known: dict[tuple[str, str], Delivery],
        thread_id: int,
        *,
        now: datetime,
        actor: str,
    ) -> Added:
        deliveries: list[Delivery] = []
        duplicates: list[Duplicate] = []
        for wish in new.deliveries:
            place = (wish.channel, new.thread.fingerprint)
            if place in known:
                duplicates.append(Duplicate(wish.channel, known[place]))
                continue
            known[place] = self._put(self._new(wish, new, thread_id=thread_id, now=now))
            deliveries.append(known[place])
            self._log(known[place], "add", actor=actor, now=now, detail=new.source)
        if not deliveries:
            return Added(None, (), tuple(duplicates))
        if thread_id not in self._threads:
            self._last_thread = thread_id
            self._threads[thread_id] = StoredThread(thread_id, new.thread, new.source, now)
        return Added(thread_id, tuple(deliveries), tuple(duplicates))

    def _new(self, wish: NewDelivery, new: NewThread, *, thread_id: int, now: datetime) -> Delivery:
        self._last_delivery += 1
        return Delivery(
            id=self._last_delivery,
            thread_id=thread_id,
            channel=wish.channel,
            state=wish.state,
            reason=wish.reason,
            rank=max((row.rank for row in self._on(wish.channel)), default=0) + STEP,
            due=utc(wish.due),
            created=now,
            started=None,
            finished=None,
            lease_owner=None,
            lease_until=None,
            fence=0,
            posts=0,
            sent=0,
            title=new.thread.title,
            own_time=wish.own_time,
            queued=now,
            parts=len(new.thread.parts),
            adoption=wish.adoption,
        )

    @contextmanager
    def _held(self, claim: Claim) -> Iterator[Delivery]:
        with self._lock:
            delivery = self._deliveries.get(claim.delivery.id)
            mine = delivery is not None and delivery.fence == claim.delivery.fence
            if delivery is None or not mine or delivery.state is not PUBLISHING:
                raise LeaseLostError(f"{claim.worker} no longer holds delivery {claim.delivery.id}")
            yield delivery


def check(threads: Sequence[NewThread]) -> None:
    for new in threads:
        for wish in new.deliveries:
            if wish.state not in BEGINNINGS:
                raise StoreError("a delivery begins held or queued")
            if wish.adoption and not 0 < wish.adoption.parts < len(new.thread.parts):
                raise StoreError("an adopted chain leaves a part to send")
            utc(wish.due)

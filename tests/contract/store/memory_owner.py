"""What a person changes in the queue in memory."""

from dataclasses import replace
from datetime import datetime

from tests.contract.store.memory_rows import STEP, MemoryRows, utc, with_place
from threadcast.queue.port import ChannelRow, Delivery, NotFoundError, StoredThread, StoreError
from threadcast.queue.states import (
    BEGINNINGS,
    LIVE,
    REQUESTS,
    DeliveryState,
    Event,
    NotAllowedError,
    PostState,
    Sent,
    follow,
)
from threadcast.queue.text.thread import Thread

QUEUED, PUBLISHING, PUBLISHED = DeliveryState.QUEUED, DeliveryState.PUBLISHING, DeliveryState.PUBLISHED
MAY_BE_OUT = frozenset({PostState.SENDING, PostState.SENT, PostState.UNKNOWN})


class MemoryOwner(MemoryRows):
    """The requests."""

    def apply(
        self, delivery_id: int, event: Event, *, now: datetime, actor: str, due: datetime | None = None
    ) -> Delivery:
        now = utc(now)
        if event not in REQUESTS:
            raise NotAllowedError(f"{event} is nothing to ask for")
        with self._lock:
            delivery = self._find(delivery_id)
            state = follow(delivery.state, event)
            if delivery.lease_until and delivery.lease_until > now:
                raise NotAllowedError("it is being published right now")
            if state is QUEUED:
                queued = delivery.queued if delivery.state is QUEUED else now
                delivery = replace(delivery, reason="", finished=None, queued=queued)
            if state is DeliveryState.CANCELLED:
                delivery = replace(delivery, finished=now, lease_owner=None, lease_until=None)
            if event is Event.RETRY:
                for record in self._posts[delivery_id]:
                    if record.state is PostState.REFUSED:
                        self._put_post(delivery, replace(record, state=PostState.PLANNED, reason=""))
            if due is not None or event in {Event.RETRY, Event.SCHEDULE}:
                delivery = replace(delivery, due=utc(due or delivery.due), own_time=True)
            detail = f"at {utc(due):%Y-%m-%d %H:%M} UTC" if due and due > now else ""
            self._log(delivery, event, actor=actor, now=now, detail=detail)
            return self._put(replace(delivery, state=state))

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
                self._log(delivery, Event.FINISH, actor=actor, now=now)
                return self._put(replace(delivery, state=state, finished=now))
            return self._put(replace(delivery, state=state, own_time=True, queued=now))

    def skip(self, delivery_id: int, *, now: datetime, actor: str) -> Delivery:
        now = utc(now)
        with self._lock:
            delivery = self._find(delivery_id)
            state = follow(delivery.state, Event.SKIP)
            records = self._posts[delivery_id]
            refused = [one for one in records if one.state is PostState.REFUSED]
            if not refused or len(records) == 1:
                raise NotAllowedError("there is no post to skip, or no other")
            (left_out,) = refused
            kept = [one for one in records if one is not left_out]
            self._posts[delivery_id] = tuple(
                replace(one, position=position) for position, one in enumerate(kept, 1)
            )
            delivery = replace(delivery, reason="", posts=len(kept))
            detail = f"post {left_out.position} (part {left_out.post.part}) is left out: {left_out.reason}"
            self._log(delivery, Event.SKIP, actor=actor, now=now, detail=detail)
            if delivery.sent == delivery.posts:
                state = follow(delivery.state, Event.FINISH)
                self._log(delivery, Event.FINISH, actor=actor, now=now)
                return self._put(replace(delivery, state=state, finished=now))
            return self._put(
                replace(delivery, state=state, finished=None, own_time=True, due=now, queued=now)
            )

    def withdraw(self, delivery_id: int, *, now: datetime, actor: str) -> Delivery:
        now = utc(now)
        with self._lock:
            delivery = self._find(delivery_id)
            state = follow(delivery.state, Event.WITHDRAW)
            if not any(record.remote_id for record in self._posts[delivery_id]):
                raise NotAllowedError("nothing is out")
            self._log(delivery, Event.WITHDRAW, actor=actor, now=now)
            return self._put(replace(delivery, state=state, finished=now))

    def note_gone(self, delivery_id: int, position: int, *, now: datetime, actor: str) -> None:
        now = utc(now)
        with self._lock:
            delivery = self._find(delivery_id)
            if delivery.state not in {DeliveryState.WITHDRAWN, DeliveryState.FAILED}:
                raise StoreError("it is neither withdrawn nor failed")
            record = self._post(delivery, position, PostState.SENT)
            if record.taken_down is None:
                self._put_post(delivery, replace(record, taken_down=now))
                self._log(delivery, "take-down", actor=actor, now=now, detail=f"post {position}")

    def pause(self, channel: str, paused: bool, *, now: datetime, actor: str) -> ChannelRow:
        now = utc(now)
        with self._lock:
            if channel not in self._channels:
                raise NotFoundError(f"there is no channel {channel}")
            row = self._channels[channel]
            if row.paused != paused:
                self._note("pause" if paused else "resume", (None, None, channel), actor=actor, now=now)
            self._channels[channel] = replace(row, paused=paused)
            return self._channels[channel]

    def move(self, delivery_id: int, after: int | None, *, now: datetime, actor: str) -> Delivery:
        now = utc(now)
        with self._lock:
            delivery = self._find(delivery_id)
            before = delivery if after is None else self._find(after)
            same = after == delivery_id or before.channel != delivery.channel
            if same or delivery.state not in BEGINNINGS or before.state not in BEGINNINGS:
                raise NotAllowedError("it cannot be moved there")
            others = [row for row in self._on(delivery.channel) if row.id != delivery_id]
            if after is None:
                rank = others[0].rank - STEP if others else delivery.rank
                detail = "before all others"
            else:
                later = others[others.index(before) + 1 :]
                room = later[0].rank - before.rank if later else 2 * STEP
                if room <= 1:
                    for row in later:
                        self._put(replace(row, rank=row.rank + STEP))
                    room += STEP
                rank = before.rank + room // 2
                detail = f"behind thread {before.thread_id}"
            self._log(delivery, "move", actor=actor, now=now, detail=detail)
            return self._put(replace(delivery, rank=rank))

    def edit(self, thread_id: int, thread: Thread, *, now: datetime, actor: str) -> tuple[Delivery, ...]:
        now = utc(now)
        with self._lock:
            mine = self._of(thread_id)
            if any(row.posts or row.state is PUBLISHING for row in mine):
                raise NotAllowedError("it has begun")
            if any(row.adoption and row.adoption.parts >= len(thread.parts) for row in mine):
                raise NotAllowedError("so many parts are out already")
            self._refuse_known([row for row in mine if row.state in LIVE], thread)
            return self._rewrite(thread_id, thread, mine, "edit", actor=actor, now=now)

    def extend(self, thread_id: int, thread: Thread, *, now: datetime, actor: str) -> tuple[Delivery, ...]:
        now = utc(now)
        with self._lock:
            mine = self._of(thread_id)
            open_ends = [row for row in mine if row.state in {PUBLISHED, *BEGINNINGS}]
            if any(
                row.state in LIVE and (row.state not in BEGINNINGS or row.posts > row.sent) for row in mine
            ):
                raise NotAllowedError("let it end first")
            if not open_ends or len(thread.parts) <= mine[0].parts:
                raise NotAllowedError("there is nothing to continue, or nothing to continue it with")
            self._refuse_known(open_ends, thread)
            for row in open_ends:
                if row.state is PUBLISHED:
                    state = follow(row.state, Event.CONTINUE)
                    self._put(
                        replace(
                            row, state=state, own_time=True, due=now, queued=now, finished=None, reason=""
                        )
                    )
            self._rewrite(thread_id, thread, open_ends, Event.CONTINUE, actor=actor, now=now)
            return tuple(self._of(thread_id))

    def remove(self, thread_id: int, *, now: datetime, actor: str) -> None:
        now = utc(now)
        with self._lock:
            mine = self._of(thread_id)
            if any(record.state in MAY_BE_OUT for row in mine for record in self._posts[row.id]):
                raise NotAllowedError("a post of it is out, or may be")
            for row in mine:
                del self._deliveries[row.id]
                self._posts.pop(row.id)
            title = self._threads.pop(thread_id).thread.title
            self._note("remove", (thread_id, None, ""), actor=actor, now=now, detail=title)

    def _refuse_known(self, mine: list[Delivery], thread: Thread) -> None:
        known = self._known()
        for row in mine:
            other = known.get((row.channel, thread.fingerprint), row)
            if other.id != row.id:
                raise NotAllowedError(f"thread {other.thread_id} is the same, on {row.channel}")

    def _rewrite(
        self,
        thread_id: int,
        thread: Thread,
        told: list[Delivery],
        what: str,
        *,
        actor: str,
        now: datetime,
    ) -> tuple[Delivery, ...]:
        stored = self._threads[thread_id]
        self._threads[thread_id] = StoredThread(thread_id, thread, stored.source, stored.created)
        count = len(thread.parts)
        for row in self._of(thread_id):
            self._put(replace(row, title=thread.title, parts=count))
        for row in told:
            detail = f"{count} part{'s' * (count != 1)} now"
            self._log(row, what, actor=actor, now=now, detail=detail)
        return tuple(self._of(thread_id))

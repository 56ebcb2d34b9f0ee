"""What is written beside a file that was put away: what was understood, where it went, what to do next."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from threadcast.bot.noticed import noticed
from threadcast.bot.plain import plain
from threadcast.bot.requests.threads import Receipt
from threadcast.bot.wording import count
from threadcast.queue.states import DeliveryState


def added_report(name: str, receipts: Sequence[Receipt], *, moment: datetime, zone: ZoneInfo) -> str:
    """Return the report on a file whose threads are in the queue, now or since before."""
    added = sum(1 for one in receipts if one.added.deliveries)
    known = len(receipts) - added
    said = f"{count(added, 'thread')} added" if added else "nothing new was added"
    also = f", {count(known, 'thread')} known" if known else ""
    lines = [f"{name}: {said}{also}", _when(moment, zone)]
    for one in receipts:
        lines += ["", *_thread(one, moment, zone)]
    return _written([*lines, "", "Next:", *(f"  {line}" for line in dict.fromkeys(_next(receipts)))])


def refused_report(name: str, reason: str, *, moment: datetime, zone: ZoneInfo) -> str:
    """Return the report on a file that could not be used."""
    step = "  put it right, and put it into the intake folder again"
    return _written([f"{name}: nothing was added", _when(moment, zone), "", plain(reason), "", "Next:", step])


def _written(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def _when(moment: datetime, zone: ZoneInfo) -> str:
    return moment.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S %Z")


def _thread(one: Receipt, moment: datetime, zone: ZoneInfo) -> Iterator[str]:
    number = f"#{one.added.thread_id} " if one.added.thread_id is not None else ""
    yield f"{number}{plain(one.thread.title)} ({count(len(one.thread.parts), 'part')})"
    for notice in sorted(one.thread.notices, key=lambda notice: notice.line):
        yield f"  {notice.severity}, line {notice.line}: {plain(noticed(notice))}"
    for delivery in one.added.deliveries:
        turn = "starts in turn" if delivery.due <= moment else f"not before {_when(delivery.due, zone)}"
        yield f"  {delivery.channel}: {delivery.state}, {plain(delivery.reason) or turn}"
    for double in one.added.duplicates:
        known = double.existing
        yield f"  {double.channel}: not added, it is thread {known.thread_id} there ({known.state})"


def _next(receipts: Sequence[Receipt]) -> Iterator[str]:
    for one in receipts:
        for delivery in one.added.deliveries:
            if delivery.state is DeliveryState.HELD:
                yield f"threadcast release {delivery.thread_id}    when it is right as it is"
            else:
                yield "threadcast queue"
        for double in one.added.duplicates:
            known = double.existing
            yield f"threadcast show {known.thread_id}"
            if known.state is DeliveryState.PUBLISHED:
                yield "threadcast add --again FILE    to publish it once more"

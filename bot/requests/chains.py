"""Chains that are out: taken down, compared with what the networks show, mended, corrected."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial

from threadcast.bot.channels.port import Channel, NotReadyError
from threadcast.bot.languages import _
from threadcast.bot.media.sources import Files
from threadcast.bot.plain import quoted
from threadcast.bot.publishing.takedown import Audit, Undo, Undoing, audit
from threadcast.bot.requests.changes import Changed, Changes
from threadcast.bot.requests.context import Pause, RequestContext, pick
from threadcast.bot.requests.errors import InputError, Problem, RefusedError
from threadcast.bot.requests.input import Intake, has_text, only_thread, understand
from threadcast.bot.requests.threads import Receipt, Threads, adoptable
from threadcast.queue.compose.compose import compose
from threadcast.queue.compose.corrections import (
    FileFault,
    MisfitError,
    OtherFilesError,
    inserted,
    recompose,
    uploads_of,
)
from threadcast.queue.compose.rules import CannotComposeError, Post
from threadcast.queue.model import Delivery, PostRecord
from threadcast.queue.outcomes import Sent
from threadcast.queue.sentences import Sentence
from threadcast.queue.states import LIVE, DeliveryState, Event, PostState
from threadcast.queue.text.media import NOT_THERE
from threadcast.queue.text.settings import ThreadSettings
from threadcast.queue.text.thread import Thread, written

SHOWN = ("warning", "sensitive", "language", "quotes", "previews")  # with every post, and again with an edit
FIXED = ("visibility", "reply_visibility", "numbering")  # of what is out
FILE_PROBLEMS = {
    FileFault.COUNT: Problem.FILE_COUNT,
    FileFault.FAMILY: Problem.FILE_FAMILY,
    FileFault.FIXED: Problem.FILE_FIXED,
}
KEPT = frozenset({DeliveryState.CANCELLED, DeliveryState.WITHDRAWN})  # nobody reads these any more


@dataclass(frozen=True, slots=True)
class Correction:
    """What a thread is to say, and the posts that change for it, as they are to be: by delivery and position.

    Where that is nothing, and `after` is as it was `before`, there is nothing to correct.
    """

    thread_id: int
    before: Thread
    after: Thread
    posts: Mapping[int, Mapping[int, PostRecord]] = field(default_factory=dict)
    channels: Mapping[str, int] = field(default_factory=dict)  # how many posts change there

    @property
    def is_empty(self) -> bool:
        return not self.posts and self.before == self.after


class Chains:
    """Each request calls the networks, and raises UnknownChannelError where a channel is not configured."""

    def __init__(self, context: RequestContext) -> None:
        self._context = context
        self._database = context.database
        self._changes = Changes(context)

    async def undo(
        self,
        thread_id: int,
        *,
        channels: Sequence[str] = (),
        see: Callable[[Undoing], None],
        pause: Pause,
        refuse: Callable[[RefusedError], None] = lambda _: None,
    ) -> tuple[Undoing, ...]:
        """Take a thread's posts down, on the channels named or wherever its state allows.

        `see` is shown how it goes on, `refuse` why a channel does not allow it; `pause` waits until a moment.
        Raises NotFoundError, NotAllowedError.
        """
        context = self._context
        withdrawn = self._changes.withdraw(thread_id, channels=channels)
        for one in withdrawn.refused:
            refuse(one)
        work = Undo(self._database, actor=context.actor, clock=context.clock, see=see, pause=pause)
        try:
            return tuple([await work.take_down(one, self._channel(one)) for one in withdrawn])
        finally:
            # Whoever reports on the thread saw how it began, and is to see how it ended
            context.wake([one.channel for one in withdrawn])

    async def audit(
        self, thread_id: int, *, channels: Sequence[str] = (), pause: Pause | None = None
    ) -> tuple[Audit, ...]:
        """Compare a thread's chains with what the networks show; `pause` waits until a moment.

        Raises NotFoundError.
        """
        return tuple(
            [
                await audit(one, self._database.reading.posts(one.id), self._channel(one), pause=pause)
                for one in self._context.deliveries(thread_id, channels)
                if one.sent
            ]
        )

    async def settle(
        self, thread_id: int, address: str | None, *, channels: Sequence[str] = (), force: bool = False
    ) -> Delivery:
        """Note that a thread's doubtful post is out at an address, or not (None); or correct that.

        What a person names is looked at first. Raises NotFoundError, and NotAllowedError where it is no post
        of this channel, or (unless with `force`) may be another one.
        """
        one, post = self._changes.doubted(thread_id, channels=channels)
        sent = None
        if address is not None:
            sent = await self._named(self._channel(one), address, [post.post.text], force=force)
        return self._changes.settle(thread_id, sent, channels=[one.channel])

    async def adopt(
        self,
        intake: Intake,
        *,
        channel: str,
        parts: int,
        address: str,
        force: bool = False,
        confirm: bool = False,
    ) -> Receipt:
        """Take over a chain begun by hand: its first `parts` parts are out, the last at `address`.

        What a person names is looked at first. `confirm` is as for `add`. Raises InputError, StoreError, and
        NotAllowedError as `settle` does.
        """
        thread = adoptable(intake, parts)
        (picked,) = pick(self._context.channels, [channel])
        part = thread.parts[parts - 1]
        texts = [part.text, written(part, thread.placement)]
        with suppress(NotReadyError, CannotComposeError):
            posts = compose(thread, await picked.rules(thread.settings), parts)
            texts += [post.text for post in posts if post.part == parts][-1:]
        last = await self._named(picked, address, texts, force=force)
        return Threads(self._context).adopt(intake, channel=channel, parts=parts, last=last, confirm=confirm)

    async def _named(self, channel: Channel, address: str, texts: Sequence[str], *, force: bool) -> Sent:
        found = await channel.find(address, texts)
        if found.sent is None:
            raise RefusedError(
                Problem.NOT_A_POST, channel=channel.name, names=[quoted(address)], cause=found.doubt
            )
        if found.doubt and not force:
            names = [quoted(address), found.sent.remote_id]
            raise RefusedError(Problem.NOT_THE_POST, channel=channel.name, names=names, cause=found.doubt)
        return found.sent

    async def mend(self, thread_id: int, *, channels: Sequence[str] = ()) -> Changed:
        """Retry stopped chains behind the last post that the network still shows.

        For a chain that stopped because a post of it was deleted by hand. Raises NotFoundError, and
        NotAllowedError where none stopped, or the network does not show one.
        """
        for one in self._context.deliveries(thread_id, channels):
            if one.state is not DeliveryState.FAILED:
                continue
            found = await audit(one, self._database.reading.posts(one.id), self._channel(one))
            if found.problem:
                raise RefusedError(
                    Problem.NOT_SEEN, thread=thread_id, channel=one.channel, cause=found.problem
                )
            for each in found.differences:
                if each.kind == "missing" and each.position is not None:
                    signed = self._context.signature()
                    self._database.changes.note_gone(one.id, each.position, **signed)
        return self._changes.apply(thread_id, Event.RETRY, channels=channels)

    async def correction(self, thread_id: int, text: str, files: Files | None = None) -> Correction:
        """Return what would be edited so that a thread that is out says this; nothing is changed.

        `files` are those that came with the text: what it had under the same name is replaced. Every post is
        composed anew and fits where it is, on each channel. Parts behind the last one continue the chain.
        Raises InputError, NotFoundError, and NotAllowedError where that cannot be done in place.
        """
        before = self._database.reading.thread(thread_id).thread
        intake = understand(Sentence("the new text"), text.encode(), files=files)
        threads = Threads(self._context)
        after = only_thread(await asyncio.to_thread(threads.attached, intake, before))
        require_in_place(thread_id, before, after)
        mine = self._context.deliveries(thread_id)
        known = [[one.file for one in part.media] for part in before.parts]
        shown = [part for part in after.parts if [one.file for one in part.media] not in known]
        if fault := self._context.undescribed(shown, [one.channel for one in mine]):
            raise InputError(fault)
        posts = self._database.reading.posts_of([one.id for one in mine])
        found = {
            one: {
                post.position: new
                for post, new in await self._recomposed(one, posts[one.id], before, after)
                if _changes(post, new, before.settings, after.settings)
            }
            for one in mine
            if posts[one.id] and one.state not in KEPT
        }
        return Correction(
            thread_id,
            before,
            after,
            {one.id: changed for one, changed in found.items() if changed},
            {one.channel: len(changed) for one, changed in found.items()},
        )

    async def back(self, thread_id: int, audits: Sequence[Audit]) -> Correction:
        """Return what would be edited so that a thread's posts say again what is stored."""
        before = self._database.reading.thread(thread_id).thread
        posts: dict[int, dict[int, PostRecord]] = {}
        for one in audits:
            places: dict[int | None, set[int | None]] = defaultdict(set)
            for each in one.differences:
                if each.kind == "edited":
                    places[each.position].add(each.file)
            known = self._database.reading.posts(one.delivery.id)
            found = {
                post.position: _shown_anew(post, places[post.position])
                for post in known
                if post.position in places
            }
            if found:
                posts[one.delivery.id] = found
        names = {one.delivery.channel: len(posts.get(one.delivery.id, ())) for one in audits}
        return Correction(thread_id, before, before, posts, names)

    def correct(self, correction: Correction) -> tuple[Delivery, ...]:
        """Have the posts of a correction edited, by the service, as they are published.

        Raises NotFoundError, and NotAllowedError where something has changed since.
        """
        corrected = self._database.threads.correct(
            correction.thread_id,
            correction.before,
            correction.after,
            correction.posts,
            **self._context.signature(),
        )
        self._context.wake([one.channel for one in corrected])
        return tuple(one for one in corrected if one.state in LIVE)

    async def _recomposed(
        self, delivery: Delivery, posts: Sequence[PostRecord], before: Thread, thread: Thread
    ) -> Iterator[tuple[PostRecord, PostRecord]]:
        channel = self._channel(delivery)
        refused = partial(RefusedError, thread=delivery.thread_id, channel=delivery.channel)
        hidden = [bool(one.settings.warning or one.settings.sensitive) for one in (before, thread)]
        try:
            rules = await channel.rules(thread.settings)
            elsewhere = self._database.reading.elsewhere(delivery)
            composed = recompose(thread, rules, [post.post for post in posts], elsewhere)
            new = [
                replace(
                    post,
                    post=one,
                    uploads=uploads_of(
                        post.post, post.uploads, one, rules.media, anew=hidden[0] != hidden[1]
                    ),
                )
                for post, one in zip(posts, composed, strict=True)
            ]
        except NotReadyError as error:
            raise refused(Problem.NOT_SEEN, cause=str(error)) from None
        except CannotComposeError as error:
            raise refused(Problem.NOT_HERE, cause=str(error)) from None
        except MisfitError as error:
            raise refused(Problem.MISFIT, names=[str(error.part)]) from None
        except OtherFilesError as error:
            raise refused(FILE_PROBLEMS[error.fault], names=[str(error.part)]) from None
        for post, one in zip(posts, new, strict=True):
            by_hand = post.remote_id is None and post.state is PostState.SENT
            if by_hand and _as_seen(post.post) != _as_seen(one.post):
                raise refused(Problem.BY_HAND, names=[str(one.post.part)])
        return zip(posts, new, strict=True)

    def _channel(self, delivery: Delivery) -> Channel:
        (channel,) = pick(self._context.channels, [delivery.channel])
        return channel


def require_in_place(thread: int, before: Thread, after: Thread) -> None:
    """Raise NotAllowedError where what is out cannot become that, on whatever channel."""
    out = len(before.parts)
    if len(after.parts) < out:
        raise RefusedError(Problem.REMOVED, thread=thread, names=[str(len(after.parts)), str(out)])
    if (part := inserted(before, after)) is not None:
        raise RefusedError(Problem.INSERTED, thread=thread, names=[str(part)])
    if len(after.parts) > out and not has_text(after.parts[out:]):
        raise InputError(_("what was added has numbers and no text: there is nothing to add"))
    for name in FIXED:
        if getattr(before.settings, name) != getattr(after.settings, name):
            raise RefusedError(Problem.FIXED, thread=thread, names=[name])


def _changes(post: PostRecord, new: PostRecord, before: ThreadSettings, after: ThreadSettings) -> bool:
    """Whether a post that is out is to show something else."""
    if post.remote_id is None or post.taken_down is not None:
        return False
    settled = any(getattr(before, name) != getattr(after, name) for name in SHOWN)
    return settled or _as_seen(post.post) != _as_seen(new.post)


def _as_seen(post: Post) -> tuple[object, ...]:
    """What readers see of a post."""
    return post.text, *((one.file, one.description, one.focus) for one in post.media)


def _shown_anew(post: PostRecord, places: Collection[int | None]) -> PostRecord:
    """Return a post of which the files at these places are to be shown once more."""
    uploads = [NOT_THERE if place in places else name for place, name in enumerate(post.uploads)]
    return replace(post, uploads=tuple(uploads))

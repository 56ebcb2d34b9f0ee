"""Files on Mastodon: uploaded before the chain, waited for, described, counted; lost answers."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from tests.bot.media.drawn import MP4, from_a_camera, jpeg, moving, put
from tests.contract.channels.mastodon_stand import NOW, Clock, make_channel
from tests.servers.mastodon.budgets import Budget
from tests.servers.mastodon.server import TOKEN, MastodonServer
from threadcast.bot.channels.mastodon.channel import MastodonChannel
from threadcast.bot.channels.media import MASTODON_FILES, MASTODON_PICTURES, ChannelFiles
from threadcast.bot.channels.port import Expected, Outgoing, Sought
from threadcast.bot.media.attach import Attacher
from threadcast.bot.media.sources import FolderFiles
from threadcast.bot.media.store import MediaStore
from threadcast.queue.compose.compose import compose
from threadcast.queue.compose.corrections import uploads_of
from threadcast.queue.compose.rules import CannotComposeError, Post
from threadcast.queue.outcomes import Absent, Blind, Code, Refused, Sent, Throttled, Unknown, Unreached
from threadcast.queue.text.media import NOT_THERE
from threadcast.queue.text.parse import parse


class Stand:
    """An account on a server, and how long its channel has waited for files."""

    def __init__(self, server: MastodonServer, folder: Path, clock: Clock) -> None:
        put(folder, a_jpg=jpeg(), b_jpg=jpeg(30, 30), c_gif=moving("GIF"), d_mp4=MP4)
        self.folder = folder
        self.server = server
        self.account = server.add_account()
        self.rested: list[float] = []
        files = ChannelFiles(MediaStore(folder), MASTODON_FILES, MASTODON_PICTURES)
        self.channel: MastodonChannel = make_channel(
            self.server, clock=clock, files=files, rest=self._rest, timeout=5
        )

    async def _rest(self, seconds: float) -> None:
        self.rested.append(seconds)

    async def posts(self, text: str) -> tuple[Post, ...]:
        thread = Attacher(MediaStore(self.folder)).attach(parse(text)[0], FolderFiles(self.folder))
        return compose(thread, await self.channel.rules())

    async def post(self, text: str) -> Post:
        (post,) = await self.posts(text)
        return post


@pytest.fixture
async def at(tmp_path: Path, clock: Clock) -> AsyncIterator[Stand]:
    budgets = {"media": Budget(5, timedelta(minutes=30))}
    with MastodonServer(clock=clock, budgets=budgets) as server:
        stand = Stand(server, tmp_path, clock)
        yield stand
        await stand.channel.close()


async def test_a_file_that_takes_time(at: Stand) -> None:
    """The channel waits until the server is done with a file, and asks ever more seldom."""
    at.server.attachments.work = 4
    post = await at.post("Bread\n![moves](d.mp4)")
    uploads = await at.channel.files.accept(post.media, ())
    assert uploads == ("7000",)
    assert at.rested == [1, 1, 2, 3]
    assert await at.channel.files.accept(post.media, uploads) == uploads
    assert len(at.server.attachments.all) == 1


async def test_a_file_that_takes_too_long(at: Stand) -> None:
    """A file that is not done after minutes is asked for again later, and not uploaded again."""
    at.server.attachments.work = 50
    post = await at.post("Bread\n![moves](d.mp4)")
    fault = await at.channel.files.accept(post.media, ())
    assert isinstance(fault, Unreached)
    assert sum(at.rested) >= 300
    assert await at.channel.files.accept(post.media, ()) == ("7000",)


async def test_a_file_that_the_server_cannot_use(at: Stand) -> None:
    """A file that breaks on the server is named, before the chain begins."""
    at.server.attachments.breaks = True
    post = await at.post("Bread\n![moves](d.mp4)")
    fault = await at.channel.files.accept(post.media, ())
    assert isinstance(fault, Refused)
    assert "d.mp4" in fault.reason
    assert fault.code is Code.CONTENT


async def test_the_budget_of_files(at: Stand, clock: Clock) -> None:
    """Where the server takes no more files, the chain waits until it does, and goes on with the next file."""
    first, second = await at.posts("1/ Bread\n" + "![x](a.jpg)\n" * 8 + "/end")
    one = await at.channel.files.accept(first.media, ())
    assert isinstance(one, tuple)
    fault = await at.channel.files.accept(second.media, ())
    assert isinstance(fault, Throttled)
    assert NOW < fault.until <= NOW + timedelta(minutes=31)
    clock.now = fault.until
    other = await at.channel.files.accept(second.media, ())
    assert isinstance(other, tuple)
    assert len({*one, *other}) == 8
    assert len(at.server.attachments.all) == 8
    assert at.channel.quota is None  # that of files is not that of posts


async def test_files_that_the_server_has_removed(at: Stand) -> None:
    """A file that the server has removed meanwhile is uploaded again."""
    post = await at.post("Bread\n![x](a.jpg)\n![y](b.jpg)")
    uploads = await at.channel.files.accept(post.media, ())
    assert isinstance(uploads, tuple)
    del at.server.attachments.all[uploads[1]]
    again = await at.channel.files.accept(post.media, uploads)
    assert isinstance(again, tuple)
    assert again[0] == uploads[0]
    assert isinstance(
        await at.channel.send(Outgoing(post.text, None, "1", media=post.media, uploads=again)), Sent
    )
    (status,) = at.server.statuses()
    assert [one.description for one in status.files] == ["x", "y"]


async def test_what_the_server_says_of_its_limits(at: Stand) -> None:
    """Limits are the server's: how large a picture, how long a description."""
    at.server.attachments.limits |= {"image_matrix_limit": 600, "description_limit": 10}
    post = await at.post("Bread\n![x](a.jpg)")  # 60 by 40 pixels
    assert await at.channel.files.accept(post.media, ()) == ("7000",)
    with pytest.raises(CannotComposeError, match=r"describes a\.jpg in 12 characters: this channel takes 10"):
        await at.post("Bread\n![more than 10](a.jpg)")


async def test_a_server_that_refuses(at: Stand) -> None:
    """A token that may not, or is not valid, is named with what it needs; it is not shown itself."""
    post = await at.post("Bread\n![x](a.jpg)")
    at.account.scopes = frozenset({"read", "write:statuses"})
    forbidden = await at.channel.files.accept(post.media, ())
    at.server.revoke()
    revoked = await at.channel.files.accept(post.media, ())
    at.server.stop()
    stopped = await at.channel.files.accept(post.media, ())
    assert isinstance(forbidden, Refused)
    assert "write:media" in forbidden.reason
    assert isinstance(revoked, Refused)
    assert revoked.code is Code.TOKEN
    assert isinstance(stopped, Unreached)
    assert TOKEN not in repr((forbidden, revoked, stopped))


async def test_a_lost_answer(at: Stand) -> None:
    """A post with files whose answer was lost is found; one with the same words and other files is not it."""
    post = await at.post("Bread\n![x](a.jpg)")
    uploads = await at.channel.files.accept(post.media, ())
    assert isinstance(uploads, tuple)
    sought = Sought(post.text, None, "1", since=NOW, landmark=None, media=post.media, uploads=uploads)
    assert await at.channel.look_up(sought) == Absent()
    at.server.lose_answer()
    outgoing = Outgoing(post.text, None, "1", media=post.media, uploads=uploads)
    assert isinstance(await at.channel.send(outgoing), Unknown)
    found = await at.channel.look_up(sought)
    assert isinstance(found, Sent)
    assert found.remote_id == at.server.statuses()[0].id
    bare = await at.channel.look_up(Sought(post.text, None, "2", since=NOW, landmark=None))
    assert isinstance(bare, Blind)
    assert "shows other files" in bare.reason


async def test_an_audit_counts_files(at: Stand) -> None:
    """An audit sees that a post shows other files than it was sent with."""
    post = await at.post("Bread\n![x](a.jpg)\n![y](b.jpg)")
    sent = await at.channel.send(Outgoing(post.text, None, "1", media=post.media))
    assert isinstance(sent, Sent)
    chain = [Expected(1, sent.remote_id, post.text, None, post.media)]
    assert await at.channel.audit(chain) == ()
    status = at.server.statuses()[0]
    status.files = status.files[:1]
    (difference,) = await at.channel.audit(chain)  # type: ignore[misc]
    assert (difference.kind, "1 files instead of 2" in difference.detail) == ("edited", True)


async def test_what_shall_stay_in_sight(at: Stand) -> None:
    """A focal point goes with the upload, for the picture as it is shown; another one with an edit."""
    put(at.folder, t_jpg=from_a_camera())  # turned by 90 degrees
    post = await at.post("Bread\n![x](t.jpg){focus=-0.5,0.25}\n![y](b.jpg)")
    uploads = await at.channel.files.accept(post.media, ())
    assert [one.focus for one in at.server.attachments.all.values()] == ["-0.5,0.25", ""]
    outgoing = Outgoing(post.text, None, "1", media=post.media, uploads=uploads)  # type: ignore[arg-type]
    sent = await at.channel.send(outgoing)
    assert isinstance(sent, Sent)
    moved = replace(outgoing, media=(replace(post.media[0], focus="1,1"), post.media[1]))
    assert isinstance(await at.channel.edit(sent.remote_id, moved), Sent)
    (status,) = at.server.statuses()
    assert [one.focus for one in status.files] == ["1.0,1.0", "0.0,0.0"]


async def edited(
    at: Stand, status: str, before: Post, known: tuple[str, ...], after: Post
) -> tuple[str, ...]:
    """Edit a status as the publisher does; the ids of its files then."""
    wanted = uploads_of(before, known, after, at.channel.files.takes)
    taken = await at.channel.files.accept(after.media, wanted, status)
    assert isinstance(taken, tuple), taken
    outcome = await at.channel.edit(status, Outgoing(after.text, None, "1", media=after.media, uploads=taken))
    assert isinstance(outcome, Sent), outcome
    return taken


async def test_files_come_and_go_by_edits(at: Stand) -> None:
    """A file more, one less, another order, and one that was there before: none is uploaded twice for it."""
    texts = ["![x](a.jpg)", "![x](a.jpg)\n![y](b.jpg)", "![y](b.jpg)\n![x](a.jpg)", "![z](b.jpg)", ""]
    posts = [await at.post(f"Bread\n{text}") for text in texts]
    taken = await at.channel.files.accept(posts[0].media, ())
    assert isinstance(taken, tuple)
    sent = await at.channel.send(Outgoing(posts[0].text, None, "1", media=posts[0].media, uploads=taken))
    assert isinstance(sent, Sent)
    for before, after in pairwise(posts):
        taken = await edited(at, sent.remote_id, before, taken, after)
        (status,) = at.server.statuses(at.account)
        assert [file.id for file in status.files] == list(taken)
        assert [file.description for file in status.files] == [one.description for one in after.media]
        chain = [Expected(1, sent.remote_id, after.text, None, after.media, uploads=taken)]
        assert await at.channel.audit(chain) == ()
    assert len(at.server.attachments.all) == 2


async def test_an_edit_that_was_made(at: Stand) -> None:
    """Where the answer to an edit was lost, its files are known by the status, and not uploaded again."""
    before, after = await at.post("Bread\n![x](a.jpg)"), await at.post("Bread\n![x](b.jpg)")
    sent = await at.channel.send(Outgoing(before.text, None, "1", media=before.media))
    assert isinstance(sent, Sent)
    taken = await at.channel.files.accept(after.media, (NOT_THERE,), sent.remote_id)
    assert isinstance(taken, tuple)
    at.server.lose_answer()
    outgoing = Outgoing(after.text, None, "1", media=after.media, uploads=taken)
    assert isinstance(await at.channel.edit(sent.remote_id, outgoing), Unknown)
    assert await at.channel.files.accept(after.media, taken, sent.remote_id) == taken
    assert isinstance(await at.channel.edit(sent.remote_id, outgoing), Sent)
    assert len(at.server.attachments.all) == 2


async def test_new_files_for_what_is_gone(at: Stand) -> None:
    """For a status that was deleted by hand nothing is uploaded; the edit says that it is gone."""
    before, after = await at.post("Bread\n![x](a.jpg)"), await at.post("Bread\n![x](b.jpg)")
    sent = await at.channel.send(Outgoing(before.text, None, "1", media=before.media))
    assert isinstance(sent, Sent)
    at.server.delete(sent.remote_id)
    assert await at.channel.files.accept(after.media, (NOT_THERE,), sent.remote_id) == (NOT_THERE,)
    outgoing = Outgoing(after.text, None, "1", media=after.media, uploads=(NOT_THERE,))
    outcome = await at.channel.edit(sent.remote_id, outgoing)
    assert isinstance(outcome, Refused)
    assert "not there any more" in outcome.reason
    assert len(at.server.attachments.all) == 1

"""The part of the channel contract that is about files: shown as they came, in order, or refused before."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.bot.media.drawn import MP4, OPUS, from_a_camera, heic, jpeg, moving, put
from tests.contract.channels.harness import Harness
from threadcast.bot.channels.port import Channel, Expected, Outgoing
from threadcast.bot.media.attach import Attacher
from threadcast.bot.media.sources import FolderFiles
from threadcast.bot.media.store import MediaStore
from threadcast.queue.compose.compose import compose
from threadcast.queue.compose.corrections import uploads_of
from threadcast.queue.compose.rules import Post
from threadcast.queue.outcomes import Outcome, Refused, Sent
from threadcast.queue.text.media import NOT_THERE
from threadcast.queue.text.parse import parse


class ShowingContract:
    """What every channel does that takes files."""

    @pytest.fixture
    def harness(self) -> Harness:
        raise NotImplementedError("the subclass supplies its platform")

    @pytest.fixture
    async def channel(self, harness: Harness) -> AsyncIterator[Channel]:
        channel = harness.channel()
        yield channel
        await channel.close()

    @pytest.fixture
    def files(self, tmp_path: Path) -> Path:
        folder = tmp_path / "files"
        folder.mkdir()
        put(folder, a_jpg=jpeg(), b_jpg=jpeg(80, 80), turned_jpg=from_a_camera(), c_heic=heic())
        put(folder, d_gif=moving("GIF"), e_webp=moving("WEBP"), f_mp4=MP4, g_ogg=OPUS)
        return folder

    async def posts(self, channel: Channel, files: Path, text: str, data: Path) -> tuple[Post, ...]:
        (thread,) = parse(text)
        thread = Attacher(MediaStore(data)).attach(thread, FolderFiles(files))
        return compose(thread, await channel.rules())

    async def published(self, channel: Channel, posts: tuple[Post, ...]) -> list[Sent]:
        """A chain with its files, as the publisher sends it."""
        uploads = [await channel.files.accept(post.media, ()) for post in posts]
        chain: list[Sent] = []
        for number, (post, taken) in enumerate(zip(posts, uploads, strict=True)):
            assert isinstance(taken, tuple), taken
            parent = chain[-1].remote_id if chain else None
            outcome = await channel.send(
                Outgoing(post.text, parent, f"key {number}", media=post.media, uploads=taken)
            )
            assert isinstance(outcome, Sent), outcome
            chain.append(outcome)
        return chain

    async def test_pictures_are_shown(
        self, channel: Channel, harness: Harness, files: Path, tmp_path: Path
    ) -> None:
        """Pictures go out with their text, in order, with what can be seen on them; the chain goes on."""
        posts = await self.posts(
            channel,
            files,
            "1/ One\n![first](a.jpg)\n2/ Two\n![second](turned.jpg)\n![third](c.heic)\n3/ Three",
            tmp_path,
        )
        chain = await self.published(channel, posts)
        seen = harness.seen()
        assert [one.text for one in seen] == ["1/ One", "2/ Two", "3/ Three"]
        assert [one.reply_to for one in seen] == [None, chain[0].remote_id, chain[1].remote_id]
        assert [[kind for kind, _ in one.media] for one in seen] == [["image"], ["image", "image"], []]
        if harness.describes:
            assert [[text for _, text in one.media] for one in seen] == [["first"], ["second", "third"], []]

    async def test_an_edit_keeps_the_files(
        self, channel: Channel, harness: Harness, files: Path, tmp_path: Path
    ) -> None:
        """A post with files says something else, and shows them as before, with what is said of them now."""
        text = "1/ One\n![first](a.jpg)\n2/ Two\n![second](a.jpg)\n![third](b.jpg)"
        posts = await self.posts(channel, files, text, tmp_path)
        chain = await self.published(channel, posts)
        new = await self.posts(channel, files, text.replace("Two", "Two!").replace("third", "last"), tmp_path)
        uploads = tuple(self.uploads_of(harness, chain[1].remote_id))
        outgoing = Outgoing(new[1].text, chain[0].remote_id, "key 1", media=new[1].media, uploads=uploads)
        assert isinstance(await channel.edit(chain[1].remote_id, outgoing), Sent)
        seen = harness.seen()
        assert [one.text for one in seen] == ["1/ One", "2/ Two!"]
        assert [len(one.media) for one in seen] == [1, 2]
        if harness.describes:
            assert [[text for _, text in one.media] for one in seen] == [["first"], ["second", "last"]]

    def uploads_of(self, harness: Harness, remote_id: str) -> list[str]:
        """The ids of a post's files, where the platform has such."""
        ids: dict[str, list[str]] = getattr(harness, "uploads", {})
        return ids.get(remote_id, [])

    async def replaced(
        self, channel: Channel, harness: Harness, sent: Sent, before: Post, after: Post
    ) -> tuple[Outcome, Outgoing]:
        """A post with other files, edited as the publisher edits it."""
        known = sent.uploads or self.uploads_of(harness, sent.remote_id)
        wanted = uploads_of(before, known, after, (await channel.rules()).media)
        taken = await channel.files.accept(after.media, wanted, sent.remote_id)
        assert isinstance(taken, tuple), taken
        outgoing = Outgoing(after.text, None, "key 0", media=after.media, uploads=taken, album=sent.album)
        return await channel.edit(sent.remote_id, outgoing), outgoing

    @pytest.mark.parametrize(
        ("before", "after", "kinds"),
        [
            (["a.jpg"], ["b.jpg"], ["image"]),
            (["a.jpg"], ["d.gif"], ["animation"]),
            (["f.mp4"], ["a.jpg"], ["image"]),
            (["a.jpg", "b.jpg"], ["a.jpg", "c.heic"], ["image", "image"]),
            (["a.jpg", "b.jpg"], ["b.jpg", "a.jpg"], ["image", "image"]),
            ([], ["a.jpg"], ["image"]),
        ],
    )
    async def test_another_file_in_its_place(
        self,
        channel: Channel,
        harness: Harness,
        files: Path,
        tmp_path: Path,
        before: list[str],
        after: list[str],
        kinds: list[str],
    ) -> None:
        """A post shows other files where it stands; made again that changes nothing, and an audit agrees.

        By what it showed before, an audit sees that it was edited.
        """
        lines = [["Bread", *before], ["Butter", *after]]
        texts = ["\n".join([text, *(f"![{one}]({one})" for one in shown)]) for text, *shown in lines]
        (old,), (new,) = [await self.posts(channel, files, text, tmp_path) for text in texts]
        (sent,) = await self.published(channel, (old,))
        was = sent.uploads or self.uploads_of(harness, sent.remote_id)
        outcome, outgoing = await self.replaced(channel, harness, sent, old, new)
        assert isinstance(outcome, Sent), outcome
        again = await channel.edit(sent.remote_id, outgoing)
        assert isinstance(again, Sent), again
        (seen,) = harness.seen()
        assert (seen.remote_id, seen.text) == (sent.remote_id, "Butter")
        assert [kind for kind, _ in seen.media] == kinds
        if harness.describes:
            assert [said for _, said in seen.media] == after
        names = tuple(again.uploads or self.uploads_of(harness, sent.remote_id))
        assert len(names) == len(after)
        shown = Expected(1, sent.remote_id, "Butter", None, new.media, sent.album, names)
        assert await channel.audit([shown]) == ()
        sees = harness.names_files or len(before) != len(after)
        found = await channel.audit([replace(shown, media=old.media, uploads=tuple(was))])
        assert isinstance(found, tuple)
        assert {one.kind for one in found} == ({"edited"} if sees else set())
        refused = await channel.audit([replace(shown, uploads=(NOT_THERE,) * len(after))])
        assert {one.kind for one in refused} == ({"edited"} if harness.names_files else set())  # type: ignore[union-attr]  # it looked

    async def test_a_file_that_cannot_be_read_for_an_edit(
        self, channel: Channel, harness: Harness, files: Path, tmp_path: Path
    ) -> None:
        """Where the new file cannot be read any more, that is said, and the post stays as it was."""
        (old,) = await self.posts(channel, files, "Bread\n![x](a.jpg)", tmp_path)
        (new,) = await self.posts(channel, files, "Bread\n![x](b.jpg)", tmp_path)
        (sent,) = await self.published(channel, (old,))
        for path in (tmp_path / "media").rglob("*"):
            if path.is_file():
                path.unlink()
        fault = await channel.files.accept(new.media, (NOT_THERE,), sent.remote_id)
        assert isinstance(fault, Refused), fault
        assert "b.jpg" in fault.reason
        outgoing = Outgoing("Bread", None, "key", media=new.media, uploads=(NOT_THERE,))
        assert isinstance(await channel.edit(sent.remote_id, outgoing), Refused)
        assert len(harness.seen()[0].media) == 1

    @pytest.mark.parametrize("name", ["d.gif", "e.webp"])
    async def test_what_moves_moves(
        self, channel: Channel, harness: Harness, files: Path, tmp_path: Path, name: str
    ) -> None:
        """An animation is shown as one, whatever it came as."""
        posts = await self.posts(channel, files, f"1/ One\n![moves]({name})\n2/ Two", tmp_path)
        await self.published(channel, posts)
        assert [kind for kind, _ in harness.seen()[0].media] == ["animation"]

    async def test_a_video_and_a_voice(
        self, channel: Channel, harness: Harness, files: Path, tmp_path: Path
    ) -> None:
        """What does not go together goes out one after the other, in order."""
        posts = await self.posts(channel, files, "1/ One\n![speaks](g.ogg)\n![moves](f.mp4)", tmp_path)
        await self.published(channel, posts)
        seen = [kind for one in harness.seen() for kind, _ in one.media]
        assert seen[1] == "video"
        assert seen[0] in {"voice", "audio"}

    async def test_files_alone(self, channel: Channel, harness: Harness, files: Path, tmp_path: Path) -> None:
        """A post may be files alone."""
        posts = await self.posts(channel, files, "![first](a.jpg)\n![second](b.jpg)", tmp_path)
        await self.published(channel, posts)
        (seen,) = harness.seen()
        assert (seen.text, len(seen.media)) == ("", 2)

    async def test_a_file_that_is_gone(
        self, channel: Channel, harness: Harness, files: Path, tmp_path: Path
    ) -> None:
        """Where a file cannot be read any more, that is said before the chain begins, and nothing is sent."""
        posts = await self.posts(channel, files, "1/ One\n2/ Two\n![first](a.jpg)", tmp_path)
        for path in (tmp_path / "media").rglob("*"):
            if path.is_file():
                path.unlink()
        fault = await channel.files.accept(posts[1].media, ())
        outcome = await channel.send(Outgoing(posts[1].text, None, "key", media=posts[1].media))
        for one in (fault, outcome):
            assert isinstance(one, Refused), one
            assert "a.jpg" in one.reason
        assert harness.seen() == []

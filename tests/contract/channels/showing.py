"""The part of the channel contract that is about files: shown as they came, in order, or refused before."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.bot.media.drawn import MP4, OPUS, from_a_camera, heic, jpeg, moving, put
from tests.contract.channels.harness import Harness
from threadcast.bot.channels.port import Channel, Outgoing
from threadcast.bot.media.attach import Attacher
from threadcast.bot.media.sources import FolderFiles
from threadcast.bot.media.store import MediaStore
from threadcast.queue.compose.compose import Post, compose
from threadcast.queue.outcomes import Refused, Sent
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

"""Files on Telegram: each kind by its own call, albums, captions, spoilers; what a lost answer came to."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.bot.media.drawn import MP4, OPUS, PDF, jpeg, moving, put
from tests.contract.channels.test_telegram import NOW, TelegramHarness
from tests.servers.telegram.server import TelegramServer
from threadcast.bot.channels.media import TELEGRAM_FILES
from threadcast.bot.channels.port import Channel, Difference, Expected, Landmark, Outgoing, Sought
from threadcast.bot.media.attach import Attacher
from threadcast.bot.media.sources import FolderFiles
from threadcast.bot.media.store import MediaStore
from threadcast.queue.compose.compose import compose
from threadcast.queue.compose.corrections import OtherFilesError, uploads_of
from threadcast.queue.compose.rules import Post
from threadcast.queue.outcomes import Absent, Blind, Refused, Sent, Throttled, Unknown
from threadcast.queue.text.media import NOT_THERE
from threadcast.queue.text.parse import parse
from threadcast.queue.text.settings import ThreadSettings

WEBM = b"\x1aE\xdf\xa3\x9fB\x86\x81\x01B\x82\x84webm" + bytes(50)
WAV = b"RIFF\x00\x00\x00\x00WAVEfmt " + bytes(50)


@pytest.fixture
def server() -> Iterator[TelegramServer]:
    with TelegramServer() as server:
        yield server


@pytest.fixture
def harness(server: TelegramServer, tmp_path: Path) -> TelegramHarness:
    put(tmp_path, a_jpg=jpeg(), b_jpg=jpeg(30, 30), c_gif=moving("GIF"), d_mp4=MP4, e_pdf=PDF)
    put(tmp_path, f_webm=WEBM, g_wav=WAV, h_mp3=b"ID3" + bytes(50), i_ogg=OPUS)
    return TelegramHarness(server, tmp_path)


@pytest.fixture
async def channel(harness: TelegramHarness) -> AsyncIterator[Channel]:
    channel = harness.channel()
    yield channel
    await channel.close()


async def posts(channel: Channel, folder: Path, text: str) -> tuple[Post, ...]:
    thread = Attacher(MediaStore(folder)).attach(parse(text)[0], FolderFiles(folder))
    return compose(thread, await channel.rules())


async def sent(channel: Channel, post: Post, parent: str | None = None) -> Sent:
    outcome = await channel.send(Outgoing(post.text, parent, "key", media=post.media))
    assert isinstance(outcome, Sent), outcome
    return outcome


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        *(("a.jpg", "image"), ("c.gif", "animation"), ("d.mp4", "video"), ("e.pdf", "document")),
        *(("f.webm", "document"), ("g.wav", "document"), ("h.mp3", "audio")),
    ],
)
async def test_each_kind(
    channel: Channel, harness: TelegramHarness, tmp_path: Path, name: str, kind: str
) -> None:
    """Each kind goes out by its own call; what Telegram does not play is a document."""
    (post,) = await posts(channel, tmp_path, f"![x]({name})\nBread")
    await sent(channel, post)
    (seen,) = harness.seen()
    assert (seen.text, seen.media) == ("Bread", ((kind, ""),))


async def test_an_album(channel: Channel, harness: TelegramHarness, tmp_path: Path) -> None:
    """Ten files are one post with ten ids, the chain goes on from the first; an eleventh follows."""
    lines = "\n".join("![x](a.jpg)" if number % 2 else "![x](d.mp4)" for number in range(11))
    first, second, third = await posts(channel, tmp_path, f"1/ Bread\n{lines}\n2/ Butter")
    album = await sent(channel, first)
    assert (album.remote_id, len(album.album)) == ("1", 9)
    more = await sent(channel, second, album.remote_id)
    await sent(channel, third, more.remote_id)
    seen = harness.seen()
    assert [one.text for one in seen] == ["1a/ Bread", "1b/", "2/ Butter"]
    assert [one.reply_to for one in seen] == [None, "1", "11"]
    assert [len(one.media) for one in seen] == [10, 1, 0]


async def test_a_long_caption(channel: Channel, harness: TelegramHarness, tmp_path: Path) -> None:
    """A text longer than a caption goes on in a message of its own."""
    planned = await posts(channel, tmp_path, f"1/ {'word ' * 500}\n![x](a.jpg)\n2/ Butter")
    parent = None
    for post in planned:
        parent = (await sent(channel, post, parent)).remote_id
    assert [bool(one.media) for one in harness.seen()] == [True, False, False]
    assert len(harness.seen()[0].text) <= 1024


async def test_a_warning_hides_files(
    server: TelegramServer, channel: Channel, harness: TelegramHarness, tmp_path: Path
) -> None:
    """Below a warning the file is hidden as the words are, alone and in an album."""
    settings = ThreadSettings(warning="food")
    for text in ("![x](a.jpg)\nBread", "![x](a.jpg)\n![y](b.jpg)\nBread"):
        (post,) = await posts(channel, tmp_path, text)
        words = f"⚠️ food\n{post.text}"
        await channel.send(Outgoing(words, None, "key", media=post.media, settings=settings))
    messages = server.seen(harness.chat)
    assert messages[0].given["has_spoiler"] == "true"
    assert messages[1].given["media"].count('"has_spoiler": true') == 2
    assert [one.entities[0]["type"] for one in messages[:2]] == ["spoiler", "spoiler"]


async def test_what_telegram_refuses(
    server: TelegramServer, channel: Channel, harness: TelegramHarness, tmp_path: Path
) -> None:
    """Where Telegram does not take a file, nothing of the post is out, and it is said."""
    (post,) = await posts(channel, tmp_path, "![x](d.mp4)\n![x](a.jpg)\nBread")
    server.api.upload_limit = 100
    outcome = await channel.send(Outgoing(post.text, None, "key", media=post.media))
    assert isinstance(outcome, Refused | Unknown)
    assert harness.seen() == []


async def settled(
    channel: Channel, post: Post, landmark: Landmark | None, parent: str | None = None
) -> Sent | Absent | Blind | object:
    return await channel.look_up(
        Sought(post.text, parent, "key", since=NOW, landmark=landmark, media=post.media)
    )


@pytest.mark.parametrize(
    ("text", "method"),
    [
        ("Bread\n![x](a.jpg)", "sendPhoto"),
        ("![x](a.jpg)", "sendPhoto"),
        ("Bread\n![x](d.mp4)", "sendVideo"),
        ("Bread\n![x](a.jpg)\n![y](b.jpg)\n![z](d.mp4)", "sendMediaGroup"),
        ("![x](a.jpg)\n![y](b.jpg)", "sendMediaGroup"),
    ],
)
async def test_a_lost_answer(
    server: TelegramServer, channel: Channel, harness: TelegramHarness, tmp_path: Path, text: str, method: str
) -> None:
    """A post with files whose answer was lost is found, with all its ids; one never sent is absent."""
    (before,) = await posts(channel, tmp_path, "Before\n![x](a.jpg)\n![y](b.jpg)")
    (post,) = await posts(channel, tmp_path, text)
    parent = await sent(channel, before)
    landmark = Landmark(parent.album[-1], "")
    assert await settled(channel, post, landmark, parent.remote_id) == Absent()
    server.lose_answer(method)
    outgoing = Outgoing(post.text, parent.remote_id, "key", media=post.media)
    assert isinstance(await channel.send(outgoing), Unknown)
    found = await settled(channel, post, landmark, parent.remote_id)
    assert isinstance(found, Sent)
    assert found.remote_id == "3"
    assert found.album == tuple(str(4 + number) for number in range(len(post.media) - 1))
    assert len(harness.seen()) == 2
    assert harness.copies() == []


async def test_another_with_the_same_words(
    channel: Channel, harness: TelegramHarness, tmp_path: Path
) -> None:
    """A message with the same words and other files is not taken for the post: a person judges it."""
    (before,) = await posts(channel, tmp_path, "Before")
    (other,) = await posts(channel, tmp_path, "Bread\n![x](d.mp4)")
    (post,) = await posts(channel, tmp_path, "Bread\n![x](a.jpg)")
    parent = await sent(channel, before)
    await sent(channel, other)
    found = await settled(channel, post, Landmark(parent.remote_id, "Before"), parent.remote_id)
    assert isinstance(found, Blind)
    assert "shows other files" in found.reason


async def test_an_audit_sees_files(channel: Channel, harness: TelegramHarness, tmp_path: Path) -> None:
    """An audit sees a file of an album that is gone, and a post without its file."""
    (album,) = await posts(channel, tmp_path, "Bread\n![x](a.jpg)\n![y](b.jpg)\n![z](d.mp4)")
    out = await sent(channel, album)
    chain = [Expected(1, out.remote_id, album.text, None, album.media, out.album)]
    assert await channel.audit(chain) == ()
    harness.delete(out.album[0])
    assert await channel.audit(chain) == (
        Difference("missing", 1, f"message {out.album[0]}, a file of it, is not there"),
    )
    bare = await sent(channel, (await posts(channel, tmp_path, "Bread"))[0])
    (difference,) = await channel.audit([Expected(1, bare.remote_id, "Bread", None, album.media[:1])])  # type: ignore[misc]
    assert (difference.kind, "it shows another file" in difference.detail) == ("edited", True)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("![x](i.ogg)", "![x](a.jpg)"),
        ("![x](a.jpg)\n![y](b.jpg)", "![x](e.pdf)\n![y](b.jpg)"),
        ("![x](e.pdf)\n![y](e.pdf)", "![x](a.jpg)\n![y](e.pdf)"),
        ("![x](h.mp3)\n![y](h.mp3)", "![x](d.mp4)\n![y](h.mp3)"),
    ],
)
async def test_what_telegram_does_not_let_be_edited(
    channel: Channel, harness: TelegramHarness, tmp_path: Path, before: str, after: str
) -> None:
    """A voice message stays, and an album its kind: the rules say so before, and Telegram when asked."""
    (old,) = await posts(channel, tmp_path, f"Bread\n{before}")
    new = Attacher(MediaStore(tmp_path)).attach(parse(f"Bread\n{after}")[0], FolderFiles(tmp_path)).parts[0]
    out = await sent(channel, old)
    seen = harness.seen()
    with pytest.raises(OtherFilesError):
        uploads_of(old, out.uploads, replace(old, media=new.media), TELEGRAM_FILES)
    names = (NOT_THERE, *out.uploads[1:])
    outgoing = Outgoing("Bread", None, "key", media=new.media, uploads=names, album=out.album)
    outcome = await channel.edit(out.remote_id, outgoing)
    assert isinstance(outcome, Refused), outcome
    assert harness.seen() == seen


async def test_a_warning_that_comes_later(
    server: TelegramServer, channel: Channel, harness: TelegramHarness, tmp_path: Path
) -> None:
    """A warning hides the files of a post too when it comes by an edit."""
    (post,) = await posts(channel, tmp_path, "Bread\n![x](a.jpg)\n![y](b.jpg)")
    out = await sent(channel, post)
    names = uploads_of(post, out.uploads, post, TELEGRAM_FILES, anew=True)
    assert names == (NOT_THERE, NOT_THERE)
    settings = ThreadSettings(warning="food")
    outgoing = Outgoing(
        "⚠️ food\nBread", None, "key", media=post.media, uploads=names, album=out.album, settings=settings
    )
    assert isinstance(await channel.edit(out.remote_id, outgoing), Sent)
    first, second = server.seen(harness.chat)[:2]
    assert ['"has_spoiler": true' in one.given["media"] for one in (first, second)] == [True, True]
    assert (first.entities[0]["type"], second.text) == ("spoiler", "")


async def test_an_edit_of_an_album_that_stops(
    server: TelegramServer, channel: Channel, harness: TelegramHarness, tmp_path: Path
) -> None:
    """Where Telegram asks to wait between two files, the edit is made again, whole, when it may."""
    (old,) = await posts(channel, tmp_path, "Bread\n![x](a.jpg)\n![y](a.jpg)")
    (new,) = await posts(channel, tmp_path, "Butter\n![x](b.jpg)\n![y](d.mp4)")
    out = await sent(channel, old)
    names = uploads_of(old, out.uploads, new, TELEGRAM_FILES)
    outgoing = Outgoing(new.text, None, "key", media=new.media, uploads=names, album=out.album)
    server.throttle(30, "editMessageMedia")
    assert isinstance(await channel.edit(out.remote_id, outgoing), Throttled)
    edited = await channel.edit(out.remote_id, outgoing)
    assert isinstance(edited, Sent)
    (seen,) = harness.seen()
    assert (seen.text, [kind for kind, _ in seen.media]) == ("Butter", ["image", "video"])
    chain = [Expected(1, out.remote_id, "Butter", None, new.media, out.album, edited.uploads)]
    assert await channel.audit(chain) == ()

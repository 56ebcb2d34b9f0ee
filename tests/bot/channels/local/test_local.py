# ruff: noqa: ASYNC240 - a small file read between two awaits keeps nobody waiting
import asyncio
import errno
import fcntl
import os
import resource
import signal
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import unquote, urlsplit
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from threadcast.bot.channels.local.channel import LocalChannel
from threadcast.bot.channels.local.errors import classify
from threadcast.bot.channels.local.page_writer import PageWriter, page_writer, write_page
from threadcast.bot.channels.local.timeline import (
    DamagedError,
    Entry,
    HalfWrittenError,
    Like,
    TimelineFile,
    chains,
    from_line,
    newest,
    read_newest,
    to_line,
)
from threadcast.bot.channels.port import Outgoing
from threadcast.config.channels import LocalChannelSettings
from threadcast.queue.outcomes import Outcome, Refused, Sent, Unknown, Unreached

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def local(
    folder: Path, like: Like = "telegram", *, name: str = "news", clock: Callable[[], datetime] = lambda: NOON
) -> LocalChannel:
    return LocalChannel(LocalChannelSettings(name=name, like=like), folder=folder, clock=clock)


async def send(
    channel: LocalChannel, text: str, parent: str | None = None, key: str | None = None
) -> Outcome:
    return await channel.send(Outgoing(text=text, parent=parent, key=key or text))


async def sent(channel: LocalChannel, text: str, parent: str | None = None, key: str | None = None) -> Sent:
    outcome = await send(channel, text, parent, key)
    assert isinstance(outcome, Sent), outcome
    return outcome


def texts(path: Path) -> list[str]:
    timeline = read_newest(path)
    assert timeline is not None
    return [entry.text for entry in timeline.entries]


async def test_ids_like_telegram(tmp_path: Path) -> None:
    """Like Telegram, ids count from 1 by one, and go on after a restart."""
    first = local(tmp_path)
    ids = [(await sent(first, text)).remote_id for text in "abc"]
    await first.close()
    again = local(tmp_path)
    ids.append((await sent(again, "d")).remote_id)
    await again.close()
    assert ids == ["1", "2", "3", "4"]


async def test_ids_like_mastodon(tmp_path: Path) -> None:
    """Like Mastodon, ids hold the time and only grow, even in one instant or when the clock steps back."""
    moments = iter([NOON, NOON, NOON - timedelta(hours=1), NOON + timedelta(seconds=1)])
    channel = local(tmp_path, "mastodon", clock=lambda: next(moments))
    ids = [int((await sent(channel, text)).remote_id) for text in "abcd"]
    await channel.close()
    assert ids == sorted(set(ids))
    assert ids[0] >> 16 == int(NOON.timestamp() * 1000)
    assert ids[3] >> 16 == int(NOON.timestamp() * 1000) + 1000


async def test_visibility(tmp_path: Path) -> None:
    """Like Mastodon, the first post of a chain is public, and its replies are unlisted."""
    channel = local(tmp_path, "mastodon")
    first = await sent(channel, "first")
    await sent(channel, "second", first.remote_id)
    await channel.close()
    timeline = read_newest(tmp_path / "news.jsonl")
    assert timeline is not None
    assert [e.visibility for e in timeline.entries] == ["public", "unlisted"]


async def test_text_is_trimmed(tmp_path: Path) -> None:
    """Blanks at the ends of a text are dropped before it is measured, as both networks do."""
    channel = local(tmp_path)
    await sent(channel, "\n  " + "x" * 4096 + " \n")
    await channel.close()
    assert texts(tmp_path / "news.jsonl") == ["x" * 4096]


@pytest.mark.parametrize("text", ["", "  \n\t "])
async def test_an_empty_text(tmp_path: Path, text: str) -> None:
    """A text with nothing in it is refused."""
    assert await send(local(tmp_path), text, key="k") == Refused("the text is empty")


async def test_too_long_tells_both_figures(tmp_path: Path) -> None:
    """The reason for refusing a long text tells its length and the limit."""
    assert await send(local(tmp_path, "mastodon"), "x" * 501) == Refused("the text is too long: 501 of 500")


async def test_side_by_side(tmp_path: Path) -> None:
    """Posts sent at once from many tasks all land, each once, each under its own id."""
    channel = local(tmp_path)
    outcomes = await asyncio.gather(*(sent(channel, f"post {n}") for n in range(20)))
    await channel.close()
    assert {outcome.remote_id for outcome in outcomes} == {str(n) for n in range(1, 21)}
    assert sorted(texts(tmp_path / "news.jsonl")) == sorted(f"post {n}" for n in range(20))


async def test_a_key_survives_a_restart(tmp_path: Path) -> None:
    """The same key gives the same post after a restart too, even if its parent is gone meanwhile."""
    first = local(tmp_path)
    parent = await sent(first, "parent")
    reply = await sent(first, "reply", parent.remote_id, key="k")
    await first.close()
    path = tmp_path / "news.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    path.write_text(lines[0] + lines[2])
    again = local(tmp_path)
    assert await send(again, "reply", parent.remote_id, key="k") == reply
    await again.close()
    assert texts(path) == ["reply"]


async def test_a_deleted_id_is_not_given_again(tmp_path: Path) -> None:
    """After the newest post was taken out by hand, its id is not given to another one."""
    channel = local(tmp_path)
    await sent(channel, "one")
    await sent(channel, "two")
    path = tmp_path / "news.jsonl"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))
    assert (await sent(channel, "three")).remote_id == "3"
    await channel.close()


async def test_only_the_owner_may_read(tmp_path: Path) -> None:
    """Timeline and page can be read by their owner only, whatever the umask."""
    before = os.umask(0)
    try:
        channel = local(tmp_path / "data")
        await sent(channel, "mine")
        await channel.close()
    finally:
        os.umask(before)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "data").iterdir()}
    assert modes == {"news.jsonl": 0o600, "timeline.html": 0o600}
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700


async def test_the_address(tmp_path: Path) -> None:
    """A post's address is that of the page, with an anchor that the page has."""
    folder = tmp_path / "a folder"
    channel = local(folder, name="my-news")
    outcome = await sent(channel, "here")
    await channel.close()
    address = urlsplit(outcome.url or "")
    page = Path(unquote(address.path))
    assert address.scheme == "file"
    assert page == folder / "timeline.html"
    assert f'id="{unquote(address.fragment)}"' in page.read_text()


@pytest.mark.parametrize("torn", range(1, 60, 7))
async def test_a_torn_line(tmp_path: Path, torn: int) -> None:
    """What a power cut left of the last line is cut off; every other line stays as it is."""
    channel = local(tmp_path)
    await sent(channel, "one")
    await sent(channel, "two")
    await channel.close()
    path = tmp_path / "news.jsonl"
    whole = path.read_bytes()
    lost = to_line(Entry("3", NOON, "three", "2", "public", "three"))
    path.write_bytes(whole + lost[:torn])
    again = local(tmp_path)
    outcome = await sent(again, "three", "2")
    await again.close()
    assert path.read_bytes() == whole + lost
    assert outcome.remote_id == "3"


async def test_a_torn_header(tmp_path: Path) -> None:
    """A power cut during the first post of all leaves a timeline that starts anew."""
    path = tmp_path / "news.jsonl"
    path.write_bytes(b'{"timeline": "tel')
    channel = local(tmp_path)
    await sent(channel, "first")
    await channel.close()
    assert texts(path) == ["first"]


async def test_a_tail_of_zeros(tmp_path: Path) -> None:
    """Blocks of zeros at the end, as some file systems leave them, are cut off."""
    channel = local(tmp_path)
    await sent(channel, "one")
    path = tmp_path / "news.jsonl"
    with path.open("ab") as file:
        file.write(bytes(4096))
    await sent(channel, "two")
    await channel.close()
    assert texts(path) == ["one", "two"]
    assert b"\0" not in path.read_bytes()


async def test_an_editor_dropped_the_last_line_break(tmp_path: Path) -> None:
    """A last line that is whole but for its line break is kept, and the next post gets a line of its own."""
    channel = local(tmp_path)
    await sent(channel, "one")
    path = tmp_path / "news.jsonl"
    path.write_bytes(path.read_bytes().rstrip(b"\n"))
    await sent(channel, "two", "1")
    await channel.close()
    assert texts(path) == ["one", "two"]


async def test_blank_lines_are_no_harm(tmp_path: Path) -> None:
    """Blank lines that a person left in the file are passed over."""
    channel = local(tmp_path)
    await sent(channel, "one")
    path = tmp_path / "news.jsonl"
    path.write_bytes(path.read_bytes() + b"\n  \n")
    await sent(channel, "two")
    await channel.close()
    assert texts(path) == ["one", "two"]


GOOD = to_line(Entry("1", NOON, "one", None, "public", "k"))
HEADER = b'{"timeline": "telegram", "version": 1}\n'
DAMAGED = [
    pytest.param(b"hello\n", "line 1", "not JSON", id="no-header"),
    pytest.param(b"a note without a line break", "line 1", "not JSON", id="not-ours"),
    pytest.param(b"[]\n", "line 1", "should be an object", id="a-list"),
    pytest.param(GOOD, "line 1", "timeline: Field required", id="header-taken-out"),
    pytest.param(b'{"timeline": "telegram", "version": 2}\n', "line 1", "another version", id="newer"),
    pytest.param(HEADER + GOOD + b"oops\n" + GOOD, "line 3", "not JSON", id="a-word-in-the-middle"),
    pytest.param(HEADER + GOOD + b"oops", "line 3", "not JSON", id="a-word-at-the-end"),
    pytest.param(HEADER + GOOD + GOOD, "line 3", "post 1 is there twice", id="a-line-twice"),
    pytest.param(HEADER + b"\xff\xfe\n", "line 2", "not JSON", id="not-utf-8"),
    pytest.param(HEADER + b"[" * 100_000 + b"\n", "line 2", "not JSON", id="deep"),
    pytest.param(HEADER + GOOD.replace(b'"1"', b'"x"'), "line 2", "remote_id", id="odd-id"),
    pytest.param(HEADER + GOOD.replace(b'"1"', b"1"), "line 2", "remote_id", id="id-a-number"),
    pytest.param(HEADER + GOOD.replace(b"+00:00", b""), "line 2", "timezone", id="no-zone"),
    pytest.param(HEADER + GOOD.replace(b"2026", b"soon"), "line 2", "valid datetime", id="no-time"),
    pytest.param(HEADER + GOOD.replace(b"public", b"secret"), "line 2", "visibility", id="odd-visibility"),
    pytest.param(HEADER + GOOD.replace(b"null", b"1"), "line 2", "reply_to", id="odd-parent"),
    pytest.param(HEADER.replace(b"telegram", b"mastodon"), "like Mastodon", "Telegram", id="other"),
]


@pytest.mark.parametrize(("content", "where", "cause"), DAMAGED)
async def test_foreign_edits(tmp_path: Path, content: bytes, where: str, cause: str) -> None:
    """A file that is in the way of a safe post is refused with its name, line and cause, and left alone."""
    path = tmp_path / "news.jsonl"
    path.write_bytes(content)
    channel = local(tmp_path)
    outcome = await send(channel, "next")
    findings = await channel.check()
    await channel.close()
    assert isinstance(outcome, Refused)
    assert all(part in outcome.reason for part in (str(path), where, cause)), outcome.reason
    assert path.read_bytes() == content
    assert [finding.level for finding in findings] == ["error"]
    assert str(path) in findings[0].what
    assert findings[0].advice


async def test_a_mended_file_goes_on(tmp_path: Path) -> None:
    """Once a person has mended the file, the same channel goes on without a restart."""
    path = tmp_path / "news.jsonl"
    path.write_bytes(HEADER + GOOD + b"oops\n")
    channel = local(tmp_path)
    assert isinstance(await send(channel, "two", "1"), Refused)
    path.write_bytes(HEADER + GOOD)
    await sent(channel, "two", "1")
    await channel.close()
    assert texts(path) == ["one", "two"]


async def test_another_process_holds_the_file(tmp_path: Path) -> None:
    """While another process writes, a post is unreached, a check is well, and nothing waits for ever."""
    channel = local(tmp_path)
    await sent(channel, "one")
    path = tmp_path / "news.jsonl"
    with path.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        outcome = await send(channel, "two")
        findings = await channel.check()
    assert isinstance(outcome, Unreached)
    assert str(path) in outcome.reason
    assert [finding.level for finding in findings] == ["ok"]
    await sent(channel, "two")
    await channel.close()
    assert texts(path) == ["one", "two"]


async def test_a_folder_in_the_way(tmp_path: Path) -> None:
    """A folder of the timeline's name is refused, told by name, and found by a check."""
    path = tmp_path / "news.jsonl"
    path.mkdir()
    channel = local(tmp_path)
    outcome = await send(channel, "one")
    assert isinstance(outcome, Refused)
    assert str(path) in outcome.reason
    (finding,) = await channel.check()
    assert (finding.level, str(path) in finding.what, bool(finding.advice)) == ("error", True, True)


async def test_the_data_folder_is_a_file(tmp_path: Path) -> None:
    """A data folder that is no folder is refused, told by name, and found by a check."""
    (tmp_path / "data").write_text("I am a file")
    channel = local(tmp_path / "data")
    outcome = await send(channel, "one")
    assert isinstance(outcome, Refused)
    assert str(tmp_path / "data") in outcome.reason
    (finding,) = await channel.check()
    assert finding.level == "error"
    assert finding.advice


async def test_a_check_makes_nothing(tmp_path: Path) -> None:
    """A check of a timeline that does not exist yet is well, and does not make it."""
    channel = local(tmp_path / "data")
    (finding,) = await channel.check()
    assert finding.level == "ok"
    assert list(tmp_path.iterdir()) == []


async def test_a_check_counts_the_posts(tmp_path: Path) -> None:
    """A check of a timeline with posts is well, tells how many, and leaves the file as it is."""
    channel = local(tmp_path)
    for text in "abc":
        await sent(channel, text)
    path = tmp_path / "news.jsonl"
    before = path.read_bytes()
    (finding,) = await channel.check()
    await channel.close()
    assert finding.level == "ok"
    assert "3 posts" in finding.what
    assert path.read_bytes() == before


def test_half_written(tmp_path: Path) -> None:
    """Where a post cannot be written, nor what was written of it be taken back, that is told apart."""
    path = tmp_path / "news.jsonl"
    path.write_bytes(HEADER)
    with path.open("rb") as file, pytest.raises(HalfWrittenError):
        TimelineFile(path, "telegram").append(file.fileno(), Entry("1", NOON, "one", None, "public", "k"))


@contextmanager
def file_size_at_most(size: int) -> Iterator[None]:
    """A disk that is full from here on, as far as this process can see."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)


async def test_a_full_disk(tmp_path: Path) -> None:
    """When a post does not fit on the disk it is unreached, no part of it stays, and later it goes out."""
    channel = local(tmp_path)
    await sent(channel, "one")
    path = tmp_path / "news.jsonl"
    before = path.read_bytes()
    with file_size_at_most(len(before) + 40):
        outcome = await send(channel, "two", "1")
        assert path.read_bytes() == before
    assert isinstance(outcome, Unreached)
    assert str(path) in outcome.reason
    await sent(channel, "two", "1")
    await channel.close()
    assert texts(path) == ["one", "two"]


ERRORS = [
    pytest.param(PermissionError(errno.EACCES, "Permission denied"), Refused, id="no-permission"),
    pytest.param(OSError(errno.EROFS, "Read-only file system"), Refused, id="read-only"),
    pytest.param(NotADirectoryError(errno.ENOTDIR, "Not a directory"), Refused, id="not-a-folder"),
    pytest.param(OSError(errno.ENOSPC, "No space left on device"), Unreached, id="full"),
    pytest.param(OSError(errno.EDQUOT, "Disk quota exceeded"), Unreached, id="quota"),
    pytest.param(OSError(errno.EMFILE, "Too many open files"), Unreached, id="too-many-files"),
    pytest.param(OSError("no number"), Unreached, id="no-number"),
    pytest.param(BlockingIOError(errno.EAGAIN, "try again"), Unreached, id="held"),
    pytest.param(HalfWrittenError("Input/output error"), Unknown, id="half-written"),
    pytest.param(DamagedError("line 3 of /data/news.jsonl", "mend it"), Refused, id="damaged"),
]


@pytest.mark.parametrize(("error", "kind"), ERRORS)
def test_errors_are_classified(error: OSError, kind: type[Outcome]) -> None:
    """Every error of the file has its outcome, with a reason that names the file."""
    outcome = classify(error, Path("/data/news.jsonl"))
    assert isinstance(outcome, kind)
    assert "/data/news.jsonl" in outcome.reason


async def test_the_page_is_there_after_closing(tmp_path: Path) -> None:
    """After `close` the page shows every post of every timeline in the folder."""
    telegram, mastodon = local(tmp_path, name="news"), local(tmp_path, "mastodon", name="masto")
    for number in range(5):
        await sent(telegram, f"news {number}")
        await sent(mastodon, f"toot {number}")
    await asyncio.gather(telegram.close(), mastodon.close())
    page = (tmp_path / "timeline.html").read_text()
    for number in range(5):
        assert f"news {number}<" in page
        assert f"toot {number}<" in page


async def test_a_page_that_cannot_be_written(tmp_path: Path) -> None:
    """A page that cannot be written does not keep a post from being sent."""
    (tmp_path / "timeline.html").mkdir()
    channel = local(tmp_path)
    await sent(channel, "one")
    await channel.close()
    assert texts(tmp_path / "news.jsonl") == ["one"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["news.jsonl", "timeline.html"]


async def test_the_page_is_bounded_work(tmp_path: Path) -> None:
    """Many posts on many channels give a page at once and one at the end, which is newer than all."""
    seen: list[int] = []
    posts = 0
    writer = PageWriter(lambda: seen.append(posts))
    for posts in range(1, 1001):  # noqa: B007 - the page reads it
        writer.changed()
        await asyncio.sleep(0)
    await asyncio.gather(*(writer.close() for _ in range(100)))
    assert seen[-1] == 1000
    assert len(seen) <= 3
    assert page_writer(tmp_path) is page_writer(tmp_path) is not page_writer(tmp_path / "other")


def test_a_page_over_several_event_loops() -> None:
    """A command that asks the channels more than once writes the page each time."""
    pages: list[None] = []
    writer = PageWriter(lambda: pages.append(None))

    async def use() -> None:
        writer.changed()
        await asyncio.sleep(0)
        await asyncio.gather(writer.close(), writer.close())

    for number in (1, 2, 3):
        asyncio.run(use())
        assert len(pages) == number


async def test_a_page_in_time() -> None:
    """The first page is written without waiting for `close`, and what changed meanwhile a while later."""
    pages: asyncio.Queue[None] = asyncio.Queue()
    loop = asyncio.get_running_loop()

    def write() -> None:
        loop.call_soon_threadsafe(pages.put_nowait, None)

    writer = PageWriter(write)
    writer.changed()
    await asyncio.wait_for(pages.get(), 5)
    writer.changed()
    await asyncio.wait_for(pages.get(), 10)
    await writer.close()
    assert pages.empty()


def test_the_clock_of_the_page(tmp_path: Path) -> None:
    """Times on the page are those of the zone that is configured."""
    (tmp_path / "news.jsonl").write_bytes(HEADER + GOOD)
    write_page(tmp_path, ZoneInfo("Asia/Kolkata"))
    assert '+05:30">' in (tmp_path / "timeline.html").read_text()


def test_a_foreign_file_is_not_shown(tmp_path: Path) -> None:
    """A file in the folder that is no timeline is left out of the page, and damaged lines are counted."""
    (tmp_path / "other.jsonl").write_text('{"hello": "world"}\n')
    (tmp_path / "folder.jsonl").mkdir()
    (tmp_path / "news.jsonl").write_bytes(HEADER + GOOD + b"oops\n")
    write_page(tmp_path)
    page = (tmp_path / "timeline.html").read_text()
    assert "1 local timeline<" in page
    assert "1 line of news.jsonl could not be read" in page


def test_reading_is_bounded(tmp_path: Path) -> None:
    """Of a very long timeline only the end is read for the page, whole lines only."""
    path = tmp_path / "news.jsonl"
    with path.open("wb") as file:
        file.write(HEADER)
        for number in range(1, 1301):
            file.write(to_line(Entry(str(number), NOON, "x" * 4000, None, "public", str(number))))
    timeline = read_newest(path)
    assert timeline is not None
    assert timeline.earlier
    assert timeline.unreadable == 0
    assert timeline.entries[-1].remote_id == "1300"
    assert 900 < len(timeline.entries) < 1100
    assert [e.remote_id for e in newest(timeline, 2).entries] == ["1299", "1300"]


@settings(deadline=None, max_examples=60)
@given(
    text=st.text(st.characters(exclude_categories=["Cs"])),
    reply_to=st.none() | st.integers(1, 10**18).map(str),
    at=st.datetimes(timezones=st.just(UTC)),
)
def test_a_line_gives_its_post_back(text: str, reply_to: str | None, at: datetime) -> None:
    """Any post written as a line is one line, and comes back equal."""
    entry = Entry("7", at, text, reply_to, "unlisted", "k")
    line = to_line(entry)
    assert line.count(b"\n") == 1
    assert from_line(line) == entry


@settings(deadline=None, max_examples=60)
@given(st.lists(st.integers(0, 12), max_size=12))
def test_chains_lose_nothing(parents: list[int]) -> None:
    """Grouping into chains keeps every post once, and puts a reply after its parent."""
    entries = tuple(
        Entry(str(n), NOON, "x", str(parent) if 0 < parent < n else None, "public", str(n))
        for n, parent in enumerate(parents, start=1)
    )
    grouped = chains(entries)
    kept = [entry.remote_id for chain in grouped for entry in chain]
    assert sorted(kept) == sorted(entry.remote_id for entry in entries)
    for chain in grouped:
        seen = {chain[0].remote_id}
        for entry in chain[1:]:
            assert entry.reply_to in seen
            seen.add(entry.remote_id)


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() == 0, reason="root may write anywhere")
async def test_a_read_only_folder(tmp_path: Path) -> None:
    """A folder that must not be written is refused, and found by a check."""
    tmp_path.chmod(0o500)
    channel = local(tmp_path)
    try:
        assert isinstance(await send(channel, "one"), Refused)
        (finding,) = await channel.check()
    finally:
        tmp_path.chmod(0o700)
    assert finding.level == "error"

"""The intake folder: what is taken, what is left, and that no file is read half or added twice."""

import asyncio
import os
import queue
import shutil
import socket
import stat
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs
from watchdog.events import FileSystemEvent

from tests.bot.publishing.scripted import ScriptedChannel
from tests.queue.store.fresh import fresh_database
from threadcast.bot.intake import files as drops
from threadcast.bot.intake.folder import AT_LEAST_EVERY, BUSY, RETRY, SETTLE, Inbox, IntakeWatch
from threadcast.bot.intake.watch import Watcher
from threadcast.bot.requests.context import Context
from threadcast.bot.requests.input import MAX_INPUT, understand
from threadcast.bot.requests.requests import Requests
from threadcast.queue.compose.compose import Post
from threadcast.queue.model import Added, NewThread, StoreError
from threadcast.queue.states import Event, Sent, decide
from threadcast.queue.store.database import Database
from threadcast.queue.store.threads import Threads

LAMP = "1/ The lamp was lit at dusk. ⬇️\n2/ The keeper slept by day. /end\n"
FOG = "1/ Fog came in.\n2/ The horn answered. /end\n"
GAP = "1/ The buoy.\n3/ The bell. /end\n"
PATIENCE = 10  # seconds after which a test gives up waiting for an event


def now() -> datetime:
    return datetime.now(UTC)


class ShakyThreads(Threads):
    """A queue that can be out of order, and whose caller can die after an add."""

    def __init__(self, database: Database) -> None:
        super().__init__(database.transactions)
        self.fault: Exception | None = None
        self.dies = False
        self.while_adding: Callable[[], None] = lambda: None

    def add(
        self,
        threads: Sequence[NewThread],
        *,
        now: datetime,
        actor: str,
        again: bool = False,
        since: datetime | None = None,
    ) -> tuple[Added, ...]:
        if self.fault is not None:
            raise self.fault
        added = super().add(threads, now=now, actor=actor, again=again, since=since)
        self.while_adding()
        if self.dies:
            raise KeyboardInterrupt
        return added


def publish_all(database: Database, channel: str) -> None:
    """Do what a publisher does to the next thread of the channel, with one post."""
    moment = now()
    claim = database.work.claim(channel, worker="w", now=moment, until=moment + timedelta(minutes=1))
    assert claim is not None
    database.work.plan(claim, [Post(part=1, label="", text="all of it", length=9)], now=moment)
    database.work.intend(claim, 1, key="k", reply_to=None, now=moment, until=moment + timedelta(minutes=1))
    database.work.record(
        claim, 1, decide(Sent("1", "u"), last=True, tries=1, now=moment, chance=0), now=moment
    )


def wait_for_a_later_change(folder: Path) -> None:
    """Wait until the file system's clock, which is behind by some milliseconds, has passed this moment."""
    moment = now().timestamp()
    probe = folder / ".probe"
    while not probe.exists() or probe.stat().st_ctime <= moment:
        probe.write_text(".")


class Folder:
    """An intake folder, the queue behind it, and a timer that is moved by hand."""

    def __init__(self, path: Path, *channels: str) -> None:
        self.path = path / "intake"
        self.database = fresh_database()
        self.database.threads = self.threads = ShakyThreads(self.database)
        self.seconds = 0.0
        self.watched: list[Path] = []
        self._channels = [ScriptedChannel(name, path, now) for name in channels or ("masto", "news")]
        self.restart()

    def restart(self) -> None:
        self.inbox = Inbox(
            self.path,
            channels=[channel.name for channel in self._channels],
            requests=self.requests,
            zone=ZoneInfo("Europe/Berlin"),
            clock=now,
            timer=lambda: self.seconds,
        )

    def requests(self, actor: str) -> Requests:
        return Requests(
            Context(self.database, self._channels, frozenset({"masto"}), {}, now, actor, lambda: True)
        )

    def look(self, after: float = 0) -> float:
        self.seconds += after
        return self.inbox.look(watch=self._watch)

    def _watch(self, folders: dict[Path, tuple[int, int]]) -> None:
        self.watched = list(folders)

    def settle(self) -> None:
        """Look, wait until what is there counts as whole, and look again."""
        self.look()
        self.look(after=SETTLE)

    def drop(self, name: str, content: str | bytes = LAMP) -> Path:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def files(self) -> set[str]:
        """Everything in the folder but its own empty folders, by path."""
        return {
            str(path.relative_to(self.path))
            for path in self.path.rglob("*")
            if path.is_symlink() or not path.is_dir()
        }

    def report(self, name: str) -> str:
        return (self.path / f"{name}.report.txt").read_text(encoding="utf-8")

    def queued(self) -> list[tuple[int, str, str]]:
        return [(one.thread_id, one.channel, one.state) for one in self.database.reading.deliveries()]


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


class TestTaking:
    def test_a_file_is_added_and_put_away(self, folder: Folder) -> None:
        """A text file is added on every channel, and moved to done/ with a report."""
        folder.drop("lamp.txt")
        folder.settle()
        assert folder.files() == {"done/lamp.txt", "done/lamp.txt.report.txt"}
        assert (folder.path / "done/lamp.txt").read_text(encoding="utf-8") == LAMP
        assert folder.queued() == [(1, "masto", "held"), (1, "news", "queued")]
        assert folder.database.reading.thread(1).source == "lamp.txt"
        assert {event.actor for event in folder.database.reading.events()} == {"intake:lamp.txt"}

    def test_the_report_says_what_became_of_it(self, folder: Folder) -> None:
        """The report has each thread, its notices with lines, where it went, and what to type next."""
        folder.drop("both.md", FOG + "\n" + GAP)
        folder.settle()
        report = folder.report("done/both.md")
        assert report.startswith("both.md: 2 threads added\n")
        for line in (
            "#1 Fog came in. (2 parts)\n",
            "#2 The buoy. (2 parts)\n",
            "  masto: held, this channel holds every thread for approval\n",
            "  news: queued, starts in turn\n",
            "  threadcast release 2    when it is right as it is\n",
            "  threadcast queue\n",
        ):
            assert line in report
        assert "  warning, line 5: " in report
        assert report.count("threadcast queue") == 1

    def test_a_channels_own_folder(self, folder: Folder) -> None:
        """A file in a channel's folder goes to that channel only, and is put away under its name."""
        folder.look()
        folder.drop("news/lamp.txt")
        folder.settle()
        assert folder.files() == {"done/news/lamp.txt", "done/news/lamp.txt.report.txt"}
        assert folder.queued() == [(1, "news", "queued")]
        assert folder.database.reading.thread(1).source == "news/lamp.txt"

    def test_folders_are_made_for_the_owner_only(self, folder: Folder) -> None:
        """The intake folder and one for each channel are made where missing, private, and watched."""
        folder.look()
        made = [folder.path, folder.path / "masto", folder.path / "news"]
        assert folder.watched == made
        assert {stat.S_IMODE(path.stat().st_mode) for path in made} == {0o700}

    def test_by_name(self, folder: Folder) -> None:
        """Files that wait together are added in the order of their names."""
        for name, text in (("2.txt", FOG), ("1.txt", LAMP), ("3.txt", GAP)):
            folder.drop(name, text)
        folder.settle()
        assert [folder.database.reading.thread(number).source for number in (1, 2, 3)] == [
            "1.txt",
            "2.txt",
            "3.txt",
        ]

    def test_nothing_is_overwritten(self, folder: Folder) -> None:
        """Where a name is taken, in done/ or by a report, a number stands before the suffix."""
        folder.drop("done/lamp.txt", "mine")
        folder.drop("done/lamp.2.txt.report.txt", "mine too")
        folder.drop("lamp.txt")
        folder.settle()
        assert (folder.path / "done/lamp.txt").read_text() == "mine"
        assert (folder.path / "done/lamp.2.txt.report.txt").read_text() == "mine too"
        assert "1 thread added" in folder.report("done/lamp.3.txt")
        assert (folder.path / "done/lamp.3.txt").read_text(encoding="utf-8") == LAMP
        assert len(folder.files()) == 4

    @pytest.mark.parametrize("name", [".lamp.txt", "lamp.txt~", "lamp.txt.part", "lamp.tmp", "a.crdownload"])
    def test_unfinished_names_are_ignored(self, folder: Folder, name: str) -> None:
        """Hidden files and those that a program still works on are not touched, and not spoken of."""
        folder.drop(name)
        with capture_logs() as logs:
            folder.settle()
        assert folder.files() == {name}
        assert logs == []

    def test_other_files_stay(self, folder: Folder) -> None:
        """A file that is no text by its name stays, as does a folder of no channel; each is named once."""
        folder.drop("lamp.docx")
        folder.drop("nwes/lamp.txt")
        with capture_logs() as logs:
            folder.settle()
            folder.drop("lamp.docx", "longer now")
            folder.settle()
        assert folder.files() == {"lamp.docx", "nwes/lamp.txt"}
        assert sorted(line["file"] for line in logs) == ["lamp.docx", "nwes"]
        assert folder.queued() == []

    @pytest.mark.parametrize("name", ["la\x1bmp\n.txt", os.fsdecode(b"l\xe4mp.txt"), "n" * 251 + ".txt"])
    def test_odd_names(self, folder: Folder, name: str) -> None:
        """A name with controls, broken bytes or no room for a suffix is as good as any other."""
        if sys.platform == "darwin":
            name = "la\x1bmp.txt"
        folder.drop(name)
        folder.settle()
        (report,) = (folder.path / "done").glob("*.report.txt")
        assert "1 thread added" in report.read_text(encoding="utf-8").splitlines()[0]
        assert (folder.path / "done" / report.name.removesuffix(".report.txt")).read_text("utf-8") == LAMP
        source = folder.database.reading.thread(1).source
        assert source.isprintable()
        assert source.encode()


class TestWhole:
    def test_not_before_it_settled(self, folder: Folder) -> None:
        """A file is not read until it has not changed for the settle time."""
        path = folder.drop("lamp.txt", LAMP[:20])
        assert folder.look() == SETTLE
        assert folder.look(after=SETTLE - 0.5) == 0.5
        path.write_text(LAMP, encoding="utf-8")
        assert folder.look(after=0.5) == SETTLE
        assert folder.queued() == []
        folder.look(after=SETTLE)
        assert folder.queued() == [(1, "masto", "held"), (1, "news", "queued")]
        assert len(folder.database.reading.thread(1).thread.parts) == 2

    def test_the_same_size_in_another_moment(self, folder: Folder) -> None:
        """A change that keeps the size is a change."""
        path = folder.drop("lamp.txt")
        folder.look()
        os.utime(path, ns=(1, 1))
        assert folder.look(after=SETTLE) == SETTLE
        assert folder.queued() == []

    @pytest.mark.skipif(sys.platform != "linux", reason="leases are Linux's")
    def test_not_while_it_has_a_writer(self, folder: Folder) -> None:
        """A file that somebody still has open for writing waits, however long it was left alone."""
        path = folder.drop("lamp.txt", LAMP[:20])
        with path.open("ab") as writer:
            folder.look()
            assert folder.look(after=100 * SETTLE) == BUSY
            writer.write(LAMP.encode()[len(LAMP[:20].encode()) :])
        folder.settle()
        assert len(folder.database.reading.thread(1).thread.parts) == 2

    @pytest.mark.skipif(sys.platform != "linux", reason="leases are Linux's")
    def test_a_writer_that_changed_nothing(self, folder: Folder) -> None:
        """A file is taken at the next look after its writer has closed it, without settling anew."""
        path = folder.drop("lamp.txt")
        with path.open("ab"):
            folder.settle()
        folder.look()
        assert "done/lamp.txt" in folder.files()

    @given(cuts=st.lists(st.tuples(st.integers(0, len(LAMP)), st.floats(0, 3)), max_size=8))
    @settings(deadline=None, max_examples=30)
    def test_never_half(
        self, tmp_path_factory: pytest.TempPathFactory, cuts: list[tuple[int, float]]
    ) -> None:
        """However a file grows while it is looked at, what is added is what was left alone long enough."""
        folder = Folder(tmp_path_factory.mktemp("grows"))
        left_alone = None
        for moment, (size, pause) in enumerate(sorted(cuts)):
            text = LAMP[:size] if size else "."
            os.utime(folder.drop("lamp.txt", text), (moment, moment))
            folder.look()
            folder.look(after=pause)
            if pause >= SETTLE:
                left_alone = text
                break
        sources = [folder.database.reading.thread(1).source] if folder.queued() else []
        assert sources == (["lamp.txt"] if left_alone else [])
        if left_alone is not None:
            assert (folder.path / "done/lamp.txt").read_text(encoding="utf-8") == left_alone

    def test_one_that_vanished(self, folder: Folder) -> None:
        """A file taken away before it was read is no error, and is forgotten."""
        folder.drop("lamp.txt")
        folder.look()
        (folder.path / "lamp.txt").unlink()
        with capture_logs() as logs:
            assert folder.look(after=SETTLE) == AT_LEAST_EVERY
        assert logs == []
        folder.drop("lamp.txt")
        assert folder.look() == SETTLE

    def test_one_that_is_replaced_when_read(self, folder: Folder) -> None:
        """A file that is no longer the one that settled is not read."""
        path = folder.drop("lamp.txt")
        folder.look()
        settled = drops.Stamp.of(path.lstat())
        (folder.path / ".new").write_text(FOG)
        (folder.path / ".new").rename(path)
        with drops.folder(folder.path) as handle:
            block = drops.whole(handle, "lamp.txt", settled, limit=100)
            with pytest.raises(drops.BusyError), block:
                pass
            path.unlink()
            path.symlink_to("/etc/hostname")
            block = drops.whole(handle, "lamp.txt", settled, limit=100)
            with pytest.raises(drops.BusyError), block:
                pass


class TestOnce:
    def test_a_service_that_died_between_add_and_move(self, folder: Folder) -> None:
        """A file that was added but not moved is moved by the next service, and nothing added twice."""
        folder.drop("lamp.txt")
        folder.threads.dies = True
        folder.look()
        with pytest.raises(KeyboardInterrupt):
            folder.look(after=SETTLE)
        folder.threads.dies = False
        assert folder.files() == {"lamp.txt"}
        folder.restart()
        folder.settle()
        assert folder.files() == {"done/lamp.txt", "done/lamp.txt.report.txt"}
        assert folder.queued() == [(1, "masto", "held"), (1, "news", "queued")]
        report = folder.report("done/lamp.txt")
        assert report.startswith("lamp.txt: nothing new was added, 1 thread known\n")
        assert "  news: not added, it is thread 1 there (queued)\n" in report
        assert "  threadcast show 1\n" in report

    def test_whatever_became_of_it_meanwhile(self, folder: Folder) -> None:
        """What such a file brought is not added anew where it was cancelled meanwhile, or has failed."""
        folder.drop("lamp.txt")
        folder.threads.dies = True
        folder.look()
        with pytest.raises(KeyboardInterrupt):
            folder.look(after=SETTLE)
        folder.threads.dies = False
        for delivery in folder.database.reading.deliveries():
            folder.database.changes.apply(delivery.id, Event.CANCEL, now=now(), actor="ada")
        folder.restart()
        folder.settle()
        assert [state for _, _, state in folder.queued()] == ["cancelled"] * 2
        assert "done/lamp.txt" in folder.files()
        assert "it is thread 1 there (cancelled)" in folder.report("done/lamp.txt")

    def test_dropped_again_on_purpose(self, folder: Folder) -> None:
        """A thread that was cancelled and is put into the folder once more is added anew."""
        folder.drop("lamp.txt")
        folder.settle()
        for delivery in folder.database.reading.deliveries():
            folder.database.changes.apply(delivery.id, Event.CANCEL, now=now(), actor="ada")
        wait_for_a_later_change(folder.path)
        (folder.path / "done/lamp.txt").rename(folder.path / "lamp.txt")
        folder.settle()
        assert folder.queued() == [
            (1, "masto", "cancelled"),
            (2, "masto", "held"),
            (1, "news", "cancelled"),
            (2, "news", "queued"),
        ]

    def test_published_already(self, folder: Folder) -> None:
        """A thread that was published is not added again: the file is done, and the report says how to."""
        folder.requests("ada").threads.add([understand("-", LAMP.encode())], channels=["news"])
        publish_all(folder.database, "news")
        folder.drop("news/lamp.txt")
        folder.settle()
        assert folder.queued() == [(1, "news", "published")]
        assert "done/news/lamp.txt" in folder.files()
        assert "threadcast add --again FILE" in folder.report("done/news/lamp.txt")

    def test_the_queue_is_out_of_order(self, folder: Folder) -> None:
        """While the queue cannot be used every file waits, said once; then all are taken."""
        folder.drop("a.txt")
        folder.drop("b.txt", FOG)
        folder.threads.fault = StoreError("the disk is full; make room")
        with capture_logs() as logs:
            folder.look()
            assert folder.look(after=SETTLE) == RETRY
            assert folder.look(after=RETRY) == RETRY
        assert [line["reason"] for line in logs] == ["the disk is full; make room"]
        assert folder.files() == {"a.txt", "b.txt"}
        folder.threads.fault = None
        folder.look(after=RETRY)
        assert {"done/a.txt", "done/b.txt"} < folder.files()

    def test_one_that_cannot_be_moved(self, folder: Folder) -> None:
        """A file that cannot be put away stays, is added once, said once, and moved when that is possible."""
        folder.drop("done", "in the way")
        folder.drop("lamp.txt")
        with capture_logs() as logs:
            folder.settle()
            folder.look(after=RETRY)
            folder.look(after=RETRY)
        assert folder.files() == {"done", "lamp.txt"}
        assert [line["event"] for line in logs] == ["taken", "left where it is"]
        (folder.path / "done").unlink()
        folder.look(after=RETRY)
        assert folder.files() == {"done/lamp.txt", "done/lamp.txt.report.txt"}
        assert "1 thread added" in folder.report("done/lamp.txt")
        assert len(folder.queued()) == 2

    def test_taken_away_while_it_is_added(self, folder: Folder) -> None:
        """A file that vanishes before it can be moved is added, and leaves nothing in done/."""
        path = folder.drop("lamp.txt")
        folder.look()
        folder.threads.while_adding = path.unlink
        with capture_logs() as logs:
            folder.look(after=SETTLE)
        assert [line["event"] for line in logs] == ["taken"]
        assert folder.files() == set()
        assert len(folder.queued()) == 2

    def test_a_move_that_fails_leaves_all_as_it_was(self, tmp_path: Path) -> None:
        """Where the system refuses a move, neither a placeholder nor a report stays behind."""
        (tmp_path / "outer/inner").mkdir(parents=True)
        with (
            drops.folder(tmp_path) as handle,
            drops.folder(tmp_path / "outer/inner") as inner,
            pytest.raises(OSError, match="Invalid argument"),  # no folder fits into itself
        ):
            drops.put_away(handle, "outer", inner, "done")
        assert list((tmp_path / "outer/inner").iterdir()) == []

    def test_a_new_file_in_its_place(self, folder: Folder) -> None:
        """A file that could not be moved, and was replaced, is taken as the new file it is."""
        folder.drop("done", "in the way")
        folder.drop("lamp.txt")
        folder.settle()
        folder.drop("lamp.txt", FOG + " ")
        (folder.path / "done").unlink()
        folder.settle()
        assert folder.database.reading.thread(2).thread.title == "Fog came in."
        assert (folder.path / "done/lamp.txt").read_text(encoding="utf-8") == FOG + " "


class TestUnfit:
    @pytest.mark.parametrize(
        ("content", "said"),
        [
            (b"", "is empty"),
            (b"\n\n", "is empty"),
            (b"1/ \xff\xfe\x00", "is not text: "),
            (b"x" * (MAX_INPUT + 1), "is larger than 20 MB"),
        ],
    )
    def test_content(self, folder: Folder, content: bytes, said: str) -> None:
        """What is no text, empty or too large goes to failed/, with the reason and the next step."""
        folder.drop("bad.txt", content)
        folder.drop("good.txt")
        folder.settle()
        report = folder.report("failed/bad.txt")
        assert report.startswith("bad.txt: nothing was added\n")
        assert f"bad.txt {said}" in report
        assert "put it into the intake folder again" in report
        assert {"failed/bad.txt", "done/good.txt"} < folder.files()

    def test_kinds(self, folder: Folder) -> None:
        """Links, pipes, sockets and folders are put aside unopened, and the files beside them are taken."""
        folder.look()
        folder.drop("good.txt")
        secret = folder.path.parent / "secret.txt"
        secret.write_text(FOG)
        (folder.path / "link.txt").symlink_to(secret)
        (folder.path / "lost.txt").symlink_to("nowhere")
        (folder.path / "folder.txt").mkdir()
        (folder.path / "folder.txt" / "in.txt").write_text(FOG)
        os.mkfifo(folder.path / "pipe.txt")
        with socket.socket(socket.AF_UNIX) as listener:
            here = Path.cwd()
            os.chdir(folder.path)  # a socket's path has to be short
            try:
                listener.bind("socket.txt")
            finally:
                os.chdir(here)
            folder.settle()
        assert [folder.database.reading.thread(1).source, len(folder.queued())] == ["good.txt", 2]
        for name, said in (
            ("link.txt", "is a link to another place"),
            ("lost.txt", "is a link to another place"),
            ("folder.txt", "is a folder"),
            ("pipe.txt", "is a pipe"),
            ("socket.txt", "is a socket"),
        ):
            assert f"{name} {said}" in folder.report(f"failed/{name}")
        assert (folder.path / "failed/link.txt").is_symlink()
        assert (folder.path / "failed/pipe.txt").is_fifo()
        assert (folder.path / "failed/folder.txt/in.txt").exists()
        assert secret.read_text() == FOG

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
    def test_not_allowed(self, folder: Folder) -> None:
        """A file that may not be read goes to failed/, with what to type."""
        folder.drop("mine.txt").chmod(0)
        folder.settle()
        assert "chmod u+r" in folder.report("failed/mine.txt")

    def test_a_channels_folder_that_is_a_link(self, folder: Folder) -> None:
        """A link in place of a channel's folder is not followed, said once, and the others are looked at."""
        elsewhere = folder.path.parent / "elsewhere"
        elsewhere.mkdir()
        (elsewhere / "theirs.txt").write_text(FOG)
        folder.path.mkdir()
        (folder.path / "news").symlink_to(elsewhere)
        folder.drop("lamp.txt")
        with capture_logs() as logs:
            folder.settle()
        assert [line["event"] for line in logs if line["log_level"] == "error"] == [
            "a channel's intake folder cannot be used"
        ]
        assert "done/lamp.txt" in folder.files()
        assert (elsewhere / "theirs.txt").exists()

    def test_what_breaks_us(self, folder: Folder) -> None:
        """A file on which the code itself breaks is put aside, and the next one is taken."""
        folder.drop("bad.txt")
        folder.threads.fault = ZeroDivisionError()
        folder.settle()
        folder.threads.fault = None
        folder.drop("good.txt", FOG)
        folder.settle()
        folder.look(after=RETRY)
        assert {"failed/bad.txt", "done/good.txt"} < folder.files()

    def test_a_channel_called_done(self, tmp_path: Path) -> None:
        """A channel whose name is that of a folder of ours gets no files of its own, and that is said."""
        with capture_logs() as logs:
            folder = Folder(tmp_path, "done", "news")
        assert [line["channel"] for line in logs] == ["done"]
        folder.drop("lamp.txt")
        folder.settle()
        assert "done/lamp.txt" in folder.files()
        folder.settle()
        assert "done/lamp.txt" in folder.files()


class TestTheFolderItself:
    def test_it_cannot_be_made(self, folder: Folder) -> None:
        """A folder that cannot be made is said once, tried again, and used as soon as it can be."""
        folder.path.write_text("in the way")
        with capture_logs() as logs:
            assert folder.look() == RETRY
            assert folder.look(after=RETRY) == RETRY
            folder.path.unlink()
            assert folder.look(after=RETRY) == AT_LEAST_EVERY
        assert [line["event"] for line in logs] == ["the intake folder cannot be used", "mended"]

    def test_its_parent_is_gone(self, tmp_path: Path) -> None:
        """A folder on a disk that is away is not made somewhere else."""
        folder = Folder(tmp_path / "disk")
        assert folder.look() == RETRY
        assert list(tmp_path.iterdir()) == []

    def test_it_cannot_be_watched(self, folder: Folder) -> None:
        """Where the system watches nothing more, the folder is looked at now and then."""

        def watch(_: object) -> None:
            raise OSError(28, "No space left on device")

        with capture_logs() as logs:
            assert folder.inbox.look(watch=watch) == RETRY
            folder.drop("lamp.txt")
            assert folder.inbox.look(watch=watch) == SETTLE
        assert len(logs) == 1

    def test_asked_to_stop(self, folder: Folder) -> None:
        """When the service stops, no further file is begun."""
        folder.drop("a.txt")
        folder.drop("b.txt", FOG)
        folder.look()
        folder.seconds += SETTLE
        answers = iter([False, True])
        folder.inbox.look(stopping=lambda: next(answers))
        assert {"done/a.txt", "b.txt"} < folder.files()


@pytest.fixture
def watching(tmp_path: Path) -> Callable[[], "Watching"]:
    return lambda: Watching(tmp_path)


class Watching(Folder):
    """The same on an event loop, with the system's own events and a short settle time."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.looks: asyncio.Queue[float] = asyncio.Queue()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        loop = asyncio.get_running_loop()
        looks = self.looks

        class Told(Inbox):
            def look(self, **how: Callable[..., bool]) -> float:  # type: ignore[override]  # passed on as it is
                after = super().look(**how)  # type: ignore[arg-type]
                loop.call_soon_threadsafe(looks.put_nowait, after)
                return after

        watch = IntakeWatch(
            Told(
                self.path,
                channels=["masto", "news"],
                requests=self.requests,
                zone=ZoneInfo("UTC"),
                clock=now,
                settle=0.05,
            )
        )
        watch.start()
        try:
            yield
        finally:
            await asyncio.wait_for(watch.close(), PATIENCE)

    async def idle(self) -> None:
        """Wait for a look after which nothing is left to do."""
        while await asyncio.wait_for(self.looks.get(), PATIENCE) != AT_LEAST_EVERY:
            pass

    async def until(self, *names: str) -> None:
        """Wait until these files are there, looking again after each look of the service."""
        while not set(names) <= self.files():
            await asyncio.wait_for(self.looks.get(), PATIENCE)


class TestWatching:
    async def test_what_waits_at_the_start(self, watching: Callable[[], Watching]) -> None:
        """What was dropped while no service ran is taken at the start."""
        folder = watching()
        folder.drop("lamp.txt")
        async with folder.running():
            await folder.until("done/lamp.txt.report.txt")

    async def test_what_comes(self, watching: Callable[[], Watching]) -> None:
        """A file written, renamed in, or dropped into a channel's folder is heard and taken."""
        folder = watching()
        async with folder.running():
            await folder.idle()
            folder.drop("written.txt", LAMP)
            await folder.until("done/written.txt.report.txt")
            folder.drop("../outside.txt", FOG).rename(folder.path / "renamed.txt")
            await folder.until("done/renamed.txt.report.txt")
            folder.drop("news/own.txt", GAP)
            await folder.until("done/news/own.txt.report.txt")

    async def test_the_folder_goes_and_comes(self, watching: Callable[[], Watching]) -> None:
        """A folder that is removed while the service runs is made again, and watched again."""
        folder = watching()
        async with folder.running():
            await folder.idle()
            shutil.rmtree(folder.path.rename(folder.path.parent / "going"))
            await folder.idle()
            assert (folder.path / "news").is_dir()
            folder.drop("lamp.txt")
            await folder.until("done/lamp.txt.report.txt")


class Recorder(Watcher):
    """A watcher that tells what it was told."""

    def __init__(self) -> None:
        self.heard = 0
        self.last: queue.SimpleQueue[Path] = queue.SimpleQueue()
        super().__init__(self._count)

    def _count(self) -> None:
        self.heard += 1

    def on_any_event(self, event: FileSystemEvent) -> None:
        super().on_any_event(event)
        self.last.put(Path(os.fsdecode(event.src_path)))

    def until(self, path: Path) -> None:
        while self.last.get(timeout=PATIENCE) != path:
            pass


class TestWatcher:
    @pytest.fixture
    def watcher(self) -> Iterator[Recorder]:
        recorder = Recorder()
        yield recorder
        recorder.close()

    def test_a_look_is_not_heard(self, tmp_path: Path, watcher: Recorder) -> None:
        """Listing, reading and leasing files is not heard: no look calls for another."""
        (tmp_path / "lamp.txt").write_text(LAMP)
        with drops.folder(tmp_path) as handle:
            watcher.follow({tmp_path: (0, 1)})
            found = drops.stamp(handle, *os.listdir(handle))  # noqa: PTH208 - as the intake does
            assert found is not None
            with drops.whole(handle, "lamp.txt", found, limit=100):
                pass
            (tmp_path / "came").mkdir()
            watcher.until(tmp_path / "came")
        assert watcher.heard == 1

    def test_another_folder_of_the_same_name(self, tmp_path: Path, watcher: Recorder) -> None:
        """A folder that took the place of another is heard, and no folder is heard that is left out."""
        path, other = tmp_path / "in", tmp_path / "other"
        for made in (path, other):
            made.mkdir()
        watcher.follow({path: (0, 1), other: (0, 2)})
        path.rename(tmp_path / "was")
        path.mkdir()
        watcher.follow({path: (0, 3)})
        (other / "unheard").mkdir()
        (path / "came").mkdir()
        watcher.until(path / "came")
        assert watcher.heard == 1

    def test_the_same_folder_made_again(self, tmp_path: Path, watcher: Recorder) -> None:
        """A folder that was removed and made again is heard, even where it got the same inode."""
        path = tmp_path / "in"
        path.mkdir()
        watcher.follow({path: (0, 1)})
        path.rmdir()
        watcher.until(path)
        path.mkdir()
        watcher.follow({path: (0, 1)})
        (path / "came").mkdir()
        watcher.until(path / "came")
        assert watcher.heard == 2

    def test_what_cannot_be_watched(self, tmp_path: Path, watcher: Recorder) -> None:
        """A folder that is not there is an OSError, and can be followed once it is."""
        path = tmp_path / "late"
        with pytest.raises(OSError, match="No such file"):
            watcher.follow({path: (0, 1)})
        path.mkdir()
        watcher.follow({path: (0, 1)})
        (path / "came").mkdir()
        watcher.until(path / "came")

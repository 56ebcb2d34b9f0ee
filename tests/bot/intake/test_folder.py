"""The intake folder: what is taken, what is left, and that no file is read half or added twice."""

import asyncio
import os
import shutil
import socket
import stat
import sys
import time
import zipfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from tests.bot.intake.inbox import FOG, GAP, LAMP, Inbox, now
from tests.bot.media.drawn import jpeg
from tests.servers.bucket import running
from threadcast.bot.intake import files as intake_files
from threadcast.bot.intake.folder import AT_LEAST_EVERY, RETRY, SETTLE
from threadcast.bot.media.store import open_store
from threadcast.bot.requests.input import MAX_INPUT, understand
from threadcast.config.settings import load
from threadcast.queue.compose.rules import Post
from threadcast.queue.errors import Fault, StoreError
from threadcast.queue.model import Claim
from threadcast.queue.outcomes import Sent
from threadcast.queue.states import Event, decide
from threadcast.queue.store.database import Database

PATIENCE = 10  # seconds after which a test gives up waiting for an event
TAKEN = {"done/lamp.txt", "done/lamp.txt.report.txt"}
ON_BOTH = [(1, "masto", "held"), (1, "news", "queued")]

FULL = StoreError(Fault.FULL, place="the database", cause="no space")


@pytest.fixture
def inbox(tmp_path: Path) -> Inbox:
    return Inbox(tmp_path)


class Death(BaseException):
    """The process ends here."""


def die() -> None:
    raise Death


def publish_all(database: Database, channel: str) -> None:
    """Do what a publisher does to the next thread of the channel, with one post."""
    moment = now()
    until = moment + timedelta(minutes=1)
    claim = database.work.claim(channel, worker="w", now=moment, until=until)
    assert isinstance(claim, Claim)
    database.work.plan(claim, [Post(part=1, label="", text="all of it", length=9)], now=moment)
    database.work.intend(claim, 1, key="k", reply_to=None, now=moment, until=until)
    change = decide(Sent("1", "u"), last=True, tries=1, now=moment, chance=0)
    database.work.record(claim, 1, change, now=moment)


class TestTaking:
    def test_a_file_is_added_and_put_away(self, inbox: Inbox) -> None:
        """A text file is added on every channel, and moved to done/ with a report."""
        inbox.drop("lamp.txt")
        inbox.settle()
        assert inbox.files() == TAKEN
        assert (inbox.path / "done/lamp.txt").read_text(encoding="utf-8") == LAMP
        assert inbox.queued() == ON_BOTH
        assert inbox.sources() == ["lamp.txt"]
        assert {event.actor for event in inbox.database.reading.events()} == {"intake:lamp.txt"}

    def test_the_report_says_what_became_of_it(self, inbox: Inbox) -> None:
        """The report has each thread, its notices with lines, where it went, and what to type next."""
        inbox.drop("both.md", FOG + "\n" + GAP)
        inbox.drop("after.md", LAMP)
        inbox.settle()
        assert inbox.sources() == ["after.md", "both.md", "both.md"], "by name"
        report = inbox.report("done/both.md")
        assert report.startswith("both.md: 2 threads added\n")
        for line in (
            "#2 Fog came in. (2 parts)\n",
            "#3 The buoy. (2 parts)\n",
            "  masto: held, this channel holds every thread for approval\n",
            "  news: queued, starts in turn\n",
            "  threadcast release 3    when it is right as it is\n",
            "  warning, line 5: ",
        ):
            assert line in report
        assert report.count("  threadcast queue\n") == 1

    def test_a_channels_own_folder(self, inbox: Inbox) -> None:
        """A file in a channel's folder goes to that channel only, and is put away under its name."""
        inbox.look()
        assert stat.S_IMODE((inbox.path / "news").stat().st_mode) == 0o700, "for its owner only"
        inbox.drop("news/lamp.txt")
        inbox.settle()
        assert inbox.files() == {"done/news/lamp.txt", "done/news/lamp.txt.report.txt"}
        assert inbox.queued() == [(1, "news", "queued")]
        assert inbox.sources() == ["news/lamp.txt"]

    @pytest.mark.parametrize(
        ("front", "said"),
        [("channels: nwes", "there is no channel called nwes"), ("at: yesterday", "its setting at: ")],
    )
    def test_settings_that_cannot_be(self, inbox: Inbox, front: str, said: str) -> None:
        """A channel that is not there, or no time, before a thread: the report says so, nothing is added."""
        inbox.drop("lamp.txt", f"---\n{front}\n---\n{LAMP}")
        inbox.settle()
        assert inbox.files() == {"failed/lamp.txt", "failed/lamp.txt.report.txt"}
        assert said in inbox.report("failed/lamp.txt")
        assert inbox.queued() == []

    def test_settings_before_a_thread(self, inbox: Inbox) -> None:
        """A thread goes to the channels that it names; its folder's channel goes before these."""
        inbox.drop("lamp.txt", f"---\nchannels: news\nwarning: Light\n---\n{LAMP}")
        inbox.settle()
        assert [channel for _, channel, _ in inbox.queued()] == ["news"]
        assert inbox.database.reading.thread(1).thread.settings.warning == "Light"

    def test_nothing_is_overwritten(self, inbox: Inbox) -> None:
        """Where a name is taken, in done/ or by a report, a number stands before the suffix."""
        inbox.drop("done/lamp.txt", "mine")
        inbox.drop("done/lamp.2.txt.report.txt", "mine too")
        inbox.drop("lamp.txt")
        inbox.settle()
        assert (inbox.path / "done/lamp.txt").read_text() == "mine"
        assert (inbox.path / "done/lamp.2.txt.report.txt").read_text() == "mine too"
        assert "1 thread added" in inbox.report("done/lamp.3.txt")
        assert (inbox.path / "done/lamp.3.txt").read_text(encoding="utf-8") == LAMP
        assert len(inbox.files()) == 4

    def test_unfinished_names_are_ignored(self, inbox: Inbox) -> None:
        """Hidden files and those that a program still works on are not touched, and not logged."""
        names = {".lamp.txt", "lamp.txt~", "lamp.txt.part", "lamp.tmp", "a.crdownload"}
        for name in names:
            inbox.drop(name)
        with capture_logs() as logs:
            inbox.settle()
        assert inbox.files() == names
        assert logs == []

    def test_other_files_stay(self, inbox: Inbox) -> None:
        """A file that is no text by its name stays, as does a folder of no channel; each is named once."""
        inbox.drop("lamp.docx")
        inbox.drop("nwes/lamp.txt")
        with capture_logs() as logs:
            inbox.settle()
            inbox.drop("lamp.docx", "longer now")
            inbox.settle()
        assert inbox.files() == {"lamp.docx", "nwes/lamp.txt"}
        assert sorted(line["file"] for line in logs) == ["lamp.docx", "nwes"]
        assert inbox.queued() == []

    @pytest.mark.parametrize("name", ["la\x1bmp\n.txt", os.fsdecode(b"l\xe4mp.txt"), "n" * 251 + ".txt"])
    def test_hostile_names(self, inbox: Inbox, name: str) -> None:
        """A name with controls, broken bytes or no room for a suffix is as good as any other."""
        if sys.platform == "darwin":
            name = "la\x1bmp.txt"
        inbox.drop(name)
        inbox.settle()
        (report,) = (inbox.path / "done").glob("*.report.txt")
        assert "1 thread added" in report.read_text(encoding="utf-8").splitlines()[0]
        assert (inbox.path / "done" / report.name.removesuffix(".report.txt")).read_text("utf-8") == LAMP
        (source,) = inbox.sources()
        assert source.isprintable()
        assert source.encode()


class TestWhole:
    def test_not_before_it_settled(self, inbox: Inbox) -> None:
        """A file is not read until it has not changed for the settle time, in size or in time."""
        path = inbox.drop("lamp.txt", LAMP[:20])
        assert inbox.look() == SETTLE
        assert inbox.look(after=SETTLE - 0.5) == 0.5
        path.write_text(LAMP, encoding="utf-8")
        assert inbox.look(after=0.5) == SETTLE
        os.utime(path, ns=(1, 1))
        assert inbox.look(after=SETTLE) == SETTLE
        assert inbox.queued() == []
        inbox.look(after=SETTLE)
        assert inbox.queued() == ON_BOTH
        assert len(inbox.database.reading.thread(1).thread.parts) == 2

    @given(cuts=st.lists(st.tuples(st.integers(0, len(LAMP)), st.floats(0, 4)), max_size=8))
    @settings(max_examples=20)
    def test_never_half(
        self, tmp_path_factory: pytest.TempPathFactory, cuts: list[tuple[int, float]]
    ) -> None:
        """However a file grows while it is looked at, what is added is what was left alone long enough."""
        inbox = Inbox(tmp_path_factory.mktemp("grows"))
        left_alone = None
        for moment, (size, pause) in enumerate(sorted(cuts)):
            text = LAMP[:size] if size else "."
            os.utime(inbox.drop("lamp.txt", text), (moment, moment))
            inbox.look()
            inbox.look(after=pause)
            if pause >= SETTLE:
                left_alone = text
                break
        assert inbox.sources() == (["lamp.txt"] if left_alone else [])
        if left_alone is not None:
            assert (inbox.path / "done/lamp.txt").read_text(encoding="utf-8") == left_alone

    def test_one_that_vanished(self, inbox: Inbox) -> None:
        """A file taken away before it was read is no error, and is forgotten."""
        path = inbox.drop("lamp.txt")
        inbox.look()
        path.unlink()
        with capture_logs() as logs:
            assert inbox.look(after=SETTLE) == AT_LEAST_EVERY
        assert logs == []
        inbox.drop("lamp.txt")
        assert inbox.look() == SETTLE


class TestOnce:
    @pytest.mark.parametrize("state", ["queued", "cancelled"])
    def test_a_service_that_died_between_add_and_move(self, inbox: Inbox, state: str) -> None:
        """A file that was added but not moved is moved by the next service and not added again, whatever
        became of it meanwhile.
        """
        inbox.drop("news/lamp.txt")
        inbox.threads.after_adding = die
        with pytest.raises(Death):
            inbox.settle()
        inbox.threads.after_adding = lambda: None
        assert inbox.files() == {"news/lamp.txt"}
        if state == "cancelled":
            inbox.database.changes.apply(1, Event.CANCEL, now=now(), actor="ada")
        inbox.restart()
        inbox.settle()
        assert inbox.files() == {"done/news/lamp.txt", "done/news/lamp.txt.report.txt"}
        assert inbox.queued() == [(1, "news", state)]
        report = inbox.report("done/news/lamp.txt")
        assert report.startswith("news/lamp.txt: nothing new was added, 1 thread known\n")
        assert f"  news: not added, it is thread 1 there ({state})\n" in report
        assert "  threadcast show 1\n" in report

    def test_dropped_again_on_purpose(self, inbox: Inbox) -> None:
        """A thread that was cancelled and is put into the folder once more is added anew."""
        inbox.drop("news/lamp.txt")
        inbox.settle()
        inbox.database.changes.apply(1, Event.CANCEL, now=now(), actor="ada")
        moment = now().timestamp()  # the file system's clock is behind by some milliseconds
        while inbox.drop(".probe").stat().st_ctime <= moment:
            pass
        (inbox.path / "done/news/lamp.txt").rename(inbox.path / "news/lamp.txt")
        inbox.settle()
        assert inbox.queued() == [(1, "news", "cancelled"), (2, "news", "queued")]

    def test_published_already(self, inbox: Inbox) -> None:
        """A thread that was published is not added again: the file is done, and the report says how to."""
        inbox.requests("ada").threads.add([understand("-", LAMP.encode())], channels=["news"])
        publish_all(inbox.database, "news")
        inbox.drop("news/lamp.txt")
        inbox.settle()
        assert inbox.queued() == [(1, "news", "published")]
        assert "threadcast add --again FILE" in inbox.report("done/news/lamp.txt")

    def test_the_queue_is_out_of_order(self, inbox: Inbox) -> None:
        """While the queue cannot be used every file waits, said once; then all are taken."""
        inbox.drop("a.txt")
        inbox.drop("b.txt", FOG)
        inbox.threads.error = FULL
        with capture_logs() as logs:
            inbox.look()
            assert inbox.look(after=SETTLE) == RETRY
            assert inbox.look(after=RETRY) == RETRY
        assert [line["reason"] for line in logs] == [str(FULL)]
        assert inbox.files() == {"a.txt", "b.txt"}
        inbox.threads.error = None
        inbox.look(after=RETRY)
        assert {"done/a.txt", "done/b.txt"} < inbox.files()

    def test_a_store_that_is_away(self, inbox: Inbox, tmp_path: Path) -> None:
        """A text with files waits where its files cannot be kept, said once; one without is taken."""
        with running(tmp_path / "server") as server:
            pass
        inbox.store = open_store(
            load({"THREADCAST_DATA": str(tmp_path), **server.environ()}, folder=tmp_path)
        )
        inbox.drop("lamp.jpg", jpeg())
        inbox.drop("fog.txt", FOG)
        with zipfile.ZipFile(inbox.path / "lamp.zip", "w") as archive:
            archive.writestr("lamp.txt", "1/ The lamp.\n![A lamp](lamp.jpg)\n2/ The sea. /end")
            archive.writestr("lamp.jpg", jpeg())
        with capture_logs() as logs:
            inbox.settle()
            assert inbox.look(after=RETRY) == RETRY
        assert inbox.sources() == ["fog.txt"]
        (said,) = [line for line in logs if line["log_level"] == "error"]
        assert "lamp.txt cannot be added now: s3://media/a/prefix, where the files are kept" in said["reason"]
        with running(tmp_path / "server", server.port):
            inbox.look(after=RETRY)
        assert inbox.sources() == ["fog.txt", "lamp.zip"]

    def test_one_that_cannot_be_moved(self, inbox: Inbox) -> None:
        """A file that cannot be put away stays, is added once, said once, and moved when that is possible."""
        inbox.drop("done", "in the way")
        inbox.drop("lamp.txt")
        with capture_logs() as logs:
            inbox.settle()
            inbox.look(after=RETRY)
            inbox.look(after=RETRY)
        assert inbox.files() == {"done", "lamp.txt"}
        assert [line["event"] for line in logs] == ["taken", "left where it is: it cannot be moved"]
        (inbox.path / "done").unlink()
        inbox.look(after=RETRY)
        assert inbox.files() == TAKEN
        assert "1 thread added" in inbox.report("done/lamp.txt")
        assert inbox.queued() == ON_BOTH

    def test_a_new_file_in_its_place(self, inbox: Inbox) -> None:
        """A file that could not be moved, and was replaced, is taken as the new file it is."""
        inbox.drop("done", "in the way")
        inbox.drop("lamp.txt")
        inbox.settle()
        inbox.drop("lamp.txt", FOG + " ")
        (inbox.path / "done").unlink()
        inbox.settle()
        assert inbox.database.reading.thread(2).thread.title == "Fog came in."
        assert (inbox.path / "done/lamp.txt").read_text(encoding="utf-8") == FOG + " "

    def test_taken_away_while_it_is_added(self, inbox: Inbox) -> None:
        """A file that vanishes before it can be moved is added, and leaves nothing in done/."""
        inbox.threads.after_adding = inbox.drop("lamp.txt").unlink
        with capture_logs() as logs:
            inbox.settle()
        assert [line["event"] for line in logs] == ["taken"]
        assert inbox.files() == set()
        assert inbox.queued() == ON_BOTH


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
    def test_content(self, inbox: Inbox, content: bytes, said: str) -> None:
        """What is no text, empty or too large goes to failed/, with the reason and the next step."""
        inbox.drop("bad.txt", content)
        inbox.drop("good.txt")
        inbox.settle()
        report = inbox.report("failed/bad.txt")
        assert report.startswith("bad.txt: nothing was added\n")
        assert f"bad.txt {said}" in report
        assert "put it into the intake folder again" in report
        assert {"failed/bad.txt", "done/good.txt"} < inbox.files()

    def test_kinds(self, inbox: Inbox) -> None:
        """Links, pipes, sockets and folders are put aside unopened, and the files beside them are taken."""
        inbox.look()
        inbox.drop("good.txt")
        secret = inbox.path.parent / "secret.txt"
        secret.write_text(FOG)
        (inbox.path / "link.txt").symlink_to(secret)
        (inbox.path / "lost.txt").symlink_to("nowhere")
        inbox.drop("folder.txt/in.txt", FOG)
        os.mkfifo(inbox.path / "pipe.txt")
        with socket.socket(socket.AF_UNIX) as listener:
            here = Path.cwd()
            os.chdir(inbox.path)  # a socket's path has to be short
            try:
                listener.bind("socket.txt")
            finally:
                os.chdir(here)
            inbox.settle()
        assert inbox.sources() == ["good.txt"]
        for name, said in (
            ("link.txt", "is a link to another place"),
            ("lost.txt", "is a link to another place"),
            ("folder.txt", "is a folder"),
            ("pipe.txt", "is a pipe"),
            ("socket.txt", "is a socket"),
        ):
            assert f"{name} {said}" in inbox.report(f"failed/{name}")
        assert (inbox.path / "failed/link.txt").is_symlink()
        assert (inbox.path / "failed/pipe.txt").is_fifo()
        assert (inbox.path / "failed/folder.txt/in.txt").exists()
        assert secret.read_text() == FOG

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
    def test_not_allowed(self, inbox: Inbox) -> None:
        """A file that may not be read goes to failed/, with what to type."""
        inbox.drop("mine.txt").chmod(0)
        inbox.settle()
        assert "chmod u+r" in inbox.report("failed/mine.txt")

    def test_a_channels_folder_that_is_a_link(self, inbox: Inbox) -> None:
        """A link in place of a channel's folder is not followed, said once, and the others are looked at."""
        elsewhere = inbox.path.parent / "elsewhere"
        elsewhere.mkdir()
        (elsewhere / "theirs.txt").write_text(FOG)
        inbox.drop("lamp.txt")
        (inbox.path / "news").symlink_to(elsewhere)
        with capture_logs() as logs:
            inbox.settle()
        errors = [line["event"] for line in logs if line["log_level"] == "error"]
        assert errors == ["a channel's intake folder cannot be used"]
        assert "done/lamp.txt" in inbox.files()
        assert (elsewhere / "theirs.txt").exists()

    def test_what_breaks_us(self, inbox: Inbox) -> None:
        """A file on which the code itself breaks is put aside, and the next one is taken."""
        inbox.drop("bad.txt")
        inbox.threads.error = ZeroDivisionError()
        inbox.settle()
        inbox.threads.error = None
        inbox.drop("good.txt", FOG)
        inbox.settle()
        assert {"failed/bad.txt", "done/good.txt"} < inbox.files()

    def test_a_channel_called_done(self, tmp_path: Path) -> None:
        """A channel whose name is that of a folder of ours gets no files of its own, and that is said."""
        with capture_logs() as logs:
            inbox = Inbox(tmp_path, "done", "news")
        assert [line["channel"] for line in logs] == ["done"]
        inbox.drop("lamp.txt")
        inbox.settle()
        inbox.settle()
        assert "done/lamp.txt" in inbox.files()


class TestTheFolderItself:
    def test_it_cannot_be_made(self, inbox: Inbox) -> None:
        """A folder that cannot be made is said once, tried again, and used as soon as it can be."""
        inbox.path.write_text("in the way")
        with capture_logs() as logs:
            assert inbox.look() == RETRY
            assert inbox.look(after=RETRY) == RETRY
            inbox.path.unlink()
            assert inbox.look(after=RETRY) == AT_LEAST_EVERY
        assert [line["event"] for line in logs] == ["the intake folder cannot be used", "mended"]

    def test_its_parent_is_gone(self, tmp_path: Path) -> None:
        """A folder on a disk that is away is not made somewhere else."""
        assert Inbox(tmp_path / "disk").look() == RETRY
        assert list(tmp_path.iterdir()) == []

    def test_asked_to_stop(self, inbox: Inbox) -> None:
        """When the service stops, no further file is begun."""
        inbox.drop("a.txt")
        inbox.drop("b.txt", FOG)
        inbox.look()
        inbox.seconds += SETTLE
        answers = iter([False, True])
        inbox.intake.look(lambda: next(answers))
        assert {"done/a.txt", "b.txt"} < inbox.files()


class TestWatching:
    """With the system's own events, and files that count as whole at the second look."""

    @pytest.fixture
    def inbox(self, tmp_path: Path) -> Inbox:
        return Inbox(tmp_path, settle=0.2, timer=time.monotonic)  # a file is made first, and then written

    @asynccontextmanager
    async def running(self, inbox: Inbox) -> AsyncIterator[None]:
        stop = asyncio.Event()
        task = asyncio.create_task(inbox.intake.run(stop))
        try:
            yield
        finally:
            stop.set()
            await asyncio.wait_for(task, PATIENCE)

    async def taken(self, inbox: Inbox, name: str) -> None:
        """Wait until the file and its report are put away."""
        while f"{name}.report.txt" not in inbox.files():
            await asyncio.to_thread(inbox.looks.get, timeout=PATIENCE)

    async def test_what_comes(self, inbox: Inbox) -> None:
        """A file that waits at the start, is written, renamed in, or put into a channel's folder is taken."""
        inbox.drop("early.txt", "1/ Before.\n2/ dawn. /end\n")
        async with self.running(inbox):
            await self.taken(inbox, "done/early.txt")
            inbox.drop("written.txt", LAMP)
            await self.taken(inbox, "done/written.txt")
            inbox.drop("../outside.txt", FOG).rename(inbox.path / "renamed.txt")
            await self.taken(inbox, "done/renamed.txt")
            inbox.drop("news/own.txt", GAP)
            await self.taken(inbox, "done/news/own.txt")

    async def test_the_folder_goes_and_comes(self, inbox: Inbox) -> None:
        """A folder that is removed while the service runs is made again, and watched again."""
        inbox.drop("lamp.txt")
        async with self.running(inbox):
            await self.taken(inbox, "done/lamp.txt")
            shutil.rmtree(inbox.path.rename(inbox.path.parent / "going"))
            while not (inbox.path / "news").is_dir():
                await asyncio.to_thread(inbox.looks.get, timeout=PATIENCE)
            inbox.drop("fog.txt", FOG)
            await self.taken(inbox, "done/fog.txt")


def test_an_archive_is_taken_with_its_files(tmp_path: Path) -> None:
    """A ZIP archive of a text and its picture is added as a file is; a broken one is refused."""
    inbox = Inbox(tmp_path)
    inbox.path.mkdir(exist_ok=True)
    with zipfile.ZipFile(inbox.path / "thread.zip", "w") as archive:
        archive.writestr("thread.txt", "1/ Bread\n![x](a.jpg)\n2/ Butter /end")
        archive.writestr("a.jpg", jpeg())
    (inbox.path / "broken.zip").write_bytes(b"PK\x03\x04")
    inbox.settle()
    assert (inbox.path / "done" / "thread.zip").exists()
    assert (inbox.path / "failed" / "broken.zip").exists()
    (media,) = inbox.database.reading.thread(1).thread.media
    assert media.file is not None
    assert media.file.width == 60


class TestAFolder:
    """A folder with one text and the files that it shows."""

    TEXT = "1/ Bread\n![x](img/a.jpg)\n2/ Butter /end"

    @pytest.fixture
    def trip(self, inbox: Inbox) -> Inbox:
        inbox.drop("trip/thread.txt", self.TEXT)
        inbox.drop("trip/img/a.jpg", jpeg())
        inbox.drop("trip/.DS_Store", b"\0")
        return inbox

    def test_it_is_taken_with_its_files(self, trip: Inbox) -> None:
        """It is added as the archive would be, once nothing in it has changed, and moves as a whole."""
        trip.look()
        trip.drop("trip/img/a.jpg", jpeg(30, 30))
        trip.look(after=SETTLE)
        assert trip.queued() == []
        trip.look(after=SETTLE)
        (media,) = trip.database.reading.thread(1).thread.media
        assert media.file is not None
        assert media.file.width == 30
        assert {"done/trip/thread.txt", "done/trip/img/a.jpg", "done/trip.report.txt"} <= trip.files()
        assert trip.report("done/trip").startswith("trip: 1 thread added")
        trip.drop("trip/thread.txt", "1/ Rain\n![x](img/a.jpg)\n2/ Sun /end")
        trip.drop("trip/img/a.jpg", jpeg())
        trip.settle()
        assert "done/trip.2/thread.txt" in trip.files()

    def test_a_channels_own(self, inbox: Inbox) -> None:
        """In a channel's folder it goes to that channel alone."""
        inbox.drop("news/trip/thread.txt", self.TEXT)
        inbox.drop("news/trip/img/a.jpg", jpeg())
        inbox.settle()
        assert [one.channel for one in inbox.database.reading.deliveries()] == ["news"]
        assert "done/news/trip/thread.txt" in inbox.files()

    @pytest.mark.parametrize(
        ("files", "said"),
        [
            (["trip/a.txt", "trip/b.md", "trip/a.jpg"], "it holds 2 texts (trip/a.txt, trip/b.md): put each"),
            (["trip/a.jpg"], "it holds no text with files beside it"),
            (["trip/a.txt"], "it holds no text with files beside it"),
            (["trip/a.txt", "trip/a.jpg.part"], "a program is still at work in it"),
            (["nwes/a.txt", "nwes/a.jpg"], "no channel has this name; news may be meant"),
        ],
    )
    def test_what_is_left(self, inbox: Inbox, files: list[str], said: str) -> None:
        """One without a text and files, with several texts, or like a channel stays, and is named once."""
        for name in files:
            inbox.drop(name)
        with capture_logs() as logs:
            inbox.settle()
            inbox.settle()
        assert inbox.files() == set(files)
        (line,) = logs
        assert (line["file"], said in line["reason"]) == (files[0].split("/")[0], True)
        assert inbox.queued() == []

    def test_links(self, trip: Inbox) -> None:
        """A link in it, to a file or a folder, is not followed: nothing of it is added, and it is told."""
        secret = trip.path.parent / "secret"
        secret.mkdir()
        (secret / "secret.jpg").write_bytes(jpeg())
        (trip.path / "trip" / "img" / "b.jpg").symlink_to(secret / "secret.jpg")
        trip.drop("two/thread.txt", "1/ Bread\n![x](more/secret.jpg)\n2/ Butter /end")
        trip.drop("two/a.jpg", jpeg())
        (trip.path / "two" / "more").symlink_to(secret)
        trip.settle()
        assert trip.queued() == []
        assert "trip holds img/b.jpg, which is a link to another place" in trip.report("failed/trip")
        assert "two holds more, which is a link to another place" in trip.report("failed/two")
        assert (secret / "secret.jpg").exists()

    @pytest.mark.parametrize("source", ["../secret.jpg", "img/../../secret.jpg", "/etc/passwd"])
    def test_ways_out(self, trip: Inbox, source: str) -> None:
        """A text that names a file out of its folder is refused."""
        trip.drop("secret.jpg", jpeg())
        trip.drop("trip/thread.txt", f"1/ Bread\n![x]({source})\n2/ Butter /end")
        trip.settle()
        assert trip.queued() == []
        assert "leads out of the text's folder" in trip.report("failed/trip")

    def test_too_much(self, trip: Inbox) -> None:
        """One with too many files, or too deep, is refused and not walked to its end."""
        trip.drop(f"trip/{'d/' * 40}a.jpg", jpeg())
        trip.drop("many/thread.txt", self.TEXT)
        for number in range(1001):
            trip.drop(f"many/{number}.jpg", b"")
        trip.settle()
        for name in ("trip", "many"):
            assert f"{name} holds more than 1,000 files, or too many" in trip.report(f"failed/{name}")
        assert trip.queued() == []

    def test_changed_while_it_is_read(self, trip: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
        """What comes into it while it is read keeps it from being added half; it is taken when whole."""
        read = intake_files.read

        def slowly(*words: Any, **how: Any) -> Any:
            trip.drop("trip/img/late.jpg", jpeg())
            return read(*words, **how)

        trip.look()
        monkeypatch.setattr(intake_files, "read", slowly)
        trip.look(after=SETTLE)
        assert trip.queued() == []
        monkeypatch.undo()
        trip.settle()
        assert "done/trip/img/late.jpg" in trip.files()
        assert len(trip.queued()) == 2

"""The disk: full, read-only, in somebody else's hands, and a database taken away while it is in use."""

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from signal import SIGCONT, SIGSTOP

import pytest

from tests.e2e.house import House, Process, chains_of, thread_text
from tests.faults.disks import Disk, small_disk
from tests.faults.killer import impatient

pytestmark = pytest.mark.e2e


@pytest.fixture
def disk(house: House) -> Iterator[Disk]:
    """A small disk for the data folder of the house."""
    with small_disk(house.folder / "disk") as disk:
        house.env["THREADCAST_DATA"] = str(disk.folder)
        yield disk


def data_of(house: House) -> Path:
    return house.folder / house.env.get("THREADCAST_DATA", "threadcast-data")


def wait_until_published(service: Process, count: int) -> None:
    with service.said:
        assert service.said.wait_for(
            lambda: sum("published" in line for line in service.lines) >= count, 60
        ), "".join(service.lines)


def waiting(house: House) -> list[tuple[int, str, str]]:
    return [(row["thread"], row["channel"], row["state"]) for row in house.json("queue")["deliveries"]]


def refused(house: House, *words: str) -> str:
    """What a command says that cannot use the queue: one sentence, exit code 5."""
    done = house.command(*words)
    assert done.returncode == 5, (words, done.stdout, done.stderr)
    assert "Traceback" not in done.stderr
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("threadcast:")]
    return line


class TestFull:
    def test_nothing_is_half_added(self, house: House, disk: Disk) -> None:
        """On a full disk `add` says so and adds nothing; with room again it adds all, and it is published."""
        with house.running() as service:
            service.wait_for("running")
            disk.fill()
            # More than the room that the log has already.
            house.write("".join(thread_text(number, 200) for number in range(1, 60)))
            said = refused(house, "add", "threads.txt")
            assert f"{disk.folder}/queue.sqlite3 could not be written: the disk is full" in said
            assert "make room and try again" in said
            disk.empty()
            assert house.json("queue")["deliveries"] == []
            house.command("add", house.write(thread_text(1, 3)))
            wait_until_published(service, 2)
            assert service.stop() == 0
        assert [len(chain) for chain in chains_of(house.on_telegram())] == [3]

    def test_no_room_to_begin(self, house: House, disk: Disk) -> None:
        """Without room for a database every command says what is wrong."""
        disk.fill()
        for words in (["run"], ["add", house.write(thread_text(1, 3))], ["queue"]):
            assert str(disk.folder) in refused(house, *words)
        disk.empty()
        assert house.command("add", "threads.txt").returncode == 0

    def test_full_in_mid_chain(self, house: House, disk: Disk) -> None:
        """A disk that fills up while a post is on its way makes no post go out twice."""
        release = house.telegram.hold_answer(chat=house.chat)
        house.command("add", "--channel", "news", house.write(thread_text(1, 3)))
        with house.running() as service:
            house.telegram.wait_for(lambda _: len(house.chat.messages) == 1)
            disk.fill()
            release.set()
            disk.empty()
            assert service.stop() == 0
        with house.running() as service:
            service.wait_for("running")
            assert service.stop() == 0
        texts = [text for _, _, text in house.on_telegram()]
        assert len(texts) == len(set(texts))

    def test_a_limit_on_file_sizes(self, house: House) -> None:
        """Where the system refuses to let the file grow, that is told, and the queue is whole afterwards."""
        house.command("add", house.write(thread_text(1, 3)))
        before = waiting(house)
        house.write("".join(thread_text(number, 200) for number in range(2, 60)))
        limit = f'ulimit -f 300; exec "{sys.executable}" -m threadcast.bot add threads.txt'
        done = subprocess.run(
            ["bash", "-c", limit],
            cwd=house.folder,
            env=house.environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 5, done.stderr
        assert "queue.sqlite3 could not be" in done.stderr
        assert waiting(house) == before


class TestReadOnly:
    def test_a_disk_that_nobody_may_write(self, house: House, disk: Disk) -> None:
        """A read-only disk is told by every command, with the path and what to do."""
        house.command("add", house.write(thread_text(1, 3)))
        before = (disk.folder / "queue.sqlite3").read_bytes()
        disk.protect()
        for words in (["add", "threads.txt"], ["queue"], ["run"]):
            said = refused(house, *words)
            assert str(disk.folder) in said
            assert "Read-only file system; mend the rights" in said
        assert (disk.folder / "queue.sqlite3").read_bytes() == before

    def test_no_data_folder_to_be_had(self, house: House, disk: Disk) -> None:
        """Where the data folder cannot be made, that is said of the folder."""
        disk.protect()
        house.env["THREADCAST_DATA"] = str(disk.folder / "data")
        for words in (["add", house.write(thread_text(1, 3))], ["run"]):
            said = refused(house, *words)
            assert f"the data folder {disk.folder}/data cannot be made: Read-only file system" in said
            assert "THREADCAST_DATA" in said


class TestLocked:
    def test_another_program_holds_it(self, house: House) -> None:
        """Commands wait for a lock, then name file and cause; a running service goes on once it is free."""
        with house.running() as service:
            service.wait_for("running")
            house.write(thread_text(1, 3))
            path = data_of(house) / "queue.sqlite3"
            house.main = impatient
            with closing(sqlite3.connect(path, isolation_level=None)) as other:
                other.execute("BEGIN EXCLUSIVE")
                with ThreadPoolExecutor() as side_by_side:
                    said = list(
                        side_by_side.map(
                            lambda words: refused(house, *words), [["add", "threads.txt"], ["queue"]]
                        )
                    )
                other.execute("ROLLBACK")
            for line in said:
                assert f"the database {path} is held by another program" in line
                assert "end it or wait, and try again" in line
            house.command("add", "threads.txt")
            wait_until_published(service, 2)
            assert service.stop() == 0

    def test_a_service_does_not_begin(self, house: House) -> None:
        """A service that cannot have the database at its start says so and exits."""
        house.command("add", house.write(thread_text(1, 3)))
        house.main = impatient
        with closing(sqlite3.connect(data_of(house) / "queue.sqlite3", isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            assert "is held by another program" in refused(house, "run")
        assert house.on_telegram() == []


class TestTakenAway:
    def test_removed(self, house: House) -> None:
        """A service whose database is removed says so and exits; the next begins none until told to."""
        path = data_of(house) / "queue.sqlite3"
        house.command("add", "--hold", house.write(thread_text(1, 3)))
        with house.running() as service:
            service.wait_for("running")
            service.popen.send_signal(SIGSTOP)  # it would notice first, and be gone
            path.unlink()
            assert "was removed while a service is using it" in refused(house, "add", "threads.txt")
            service.popen.send_signal(SIGCONT)
            assert service.end() == 5
            assert f"the database {path} was removed while it was in use" in "".join(service.lines)
        for words in (["run"], ["add", "threads.txt"], ["queue"]):
            assert "is not there, though a service has worked in" in refused(house, *words)
        assert not path.exists()
        house.command("migrate")
        with house.running() as service:
            service.wait_for("running")
            house.command("add", "threads.txt")
            wait_until_published(service, 2)
            assert service.stop() == 0
        assert [len(chain) for chain in chains_of(house.on_telegram())] == [3]

    def test_replaced(self, house: House) -> None:
        """A file put in the place of the one in use is left alone."""
        path = data_of(house) / "queue.sqlite3"
        house.command("add", "--hold", house.write(thread_text(1, 3)))
        house.command("backup", "copy.db")
        with house.running() as service:
            service.wait_for("running")
            (house.folder / "copy.db").replace(path)
            house.command()  # it asks whether a service runs, which wakes that one
            before = path.read_bytes()
            assert service.end() == 5
            assert "was replaced by another file while it was in use" in "".join(service.lines)
        assert path.read_bytes() == before

    def test_in_mid_chain(self, house: House) -> None:
        """Taken away while a post is on its way, nothing more is sent; put back, no post goes out twice."""
        path = data_of(house) / "queue.sqlite3"
        release = house.telegram.hold_answer(chat=house.chat)
        house.command("add", "--channel", "news", house.write(thread_text(1, 3)))
        with house.running() as service:
            house.telegram.wait_for(lambda _: len(house.chat.messages) == 1)
            path.rename(house.folder / "away")
            release.set()
            assert service.end() == 5
        assert len(house.on_telegram()) == 1
        (house.folder / "away").rename(path)
        (post, *_) = house.json("show", "1")["deliveries"][0]["posts"]
        assert post["state"] == "sending"
        with house.running() as service:
            service.wait_for("running")
            assert service.stop() == 0
        texts = [text for _, _, text in house.on_telegram()]
        assert len(texts) == len(set(texts))

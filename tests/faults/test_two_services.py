"""Two services on one SQLite file: the second says so and exits, by whatever way it came to the file."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.house import House
from threadcast.queue.errors import StoreError
from threadcast.queue.store.transactions import held, service_lock

pytestmark = pytest.mark.e2e


def absolute(folder: Path) -> str:
    return f"sqlite:///{folder / 'shared' / 'queue.db'}"


def relative(folder: Path) -> str:
    return "sqlite:///shared/../shared/queue.db"


def linked_file(folder: Path) -> str:
    (folder / "by-link.db").symlink_to("shared/queue.db")
    return f"sqlite:///{folder / 'by-link.db'}"


def linked_folder(folder: Path) -> str:
    (folder / "linked").symlink_to("shared", target_is_directory=True)
    return "sqlite:///linked/queue.db"


@pytest.mark.parametrize("way", [absolute, relative, linked_file, linked_folder])
def test_the_same_file_by_another_way(house: House, way: Callable[[Path], str]) -> None:
    """A second service with a data folder of its own, on the file of the first, says so and exits with 5."""
    house.env["DATABASE_URL"] = absolute(house.folder)
    with house.running() as service:
        service.wait_for("running")
        house.env |= {"THREADCAST_DATA": "elsewhere", "DATABASE_URL": way(house.folder)}
        second = house.command("run")
        assert second.returncode == 5
        assert f"already works on the database {house.folder}/shared/queue.db" in second.stderr
        assert "THREADCAST_DATABASE_URL" in second.stderr
        assert house.command("backup", "copy").returncode == 0
        restored = house.command("restore", "copy")
        assert restored.returncode == 5
        assert "already works on the database" in restored.stderr
        assert house.command("queue").returncode == 0, "looking is nobody's privilege"
        assert service.stop() == 0
    with house.running() as next_one:
        next_one.wait_for("running")
        assert next_one.stop() == 0


def test_killed_and_started_elsewhere(house: House) -> None:
    """The lock ends with its process: after a kill another data folder may go on with the file."""
    house.env["DATABASE_URL"] = absolute(house.folder)
    with house.running() as service:
        service.wait_for("running")
        service.popen.kill()
        service.end()
    house.env["THREADCAST_DATA"] = "elsewhere"
    with house.running() as second:
        second.wait_for("running")
        assert second.stop() == 0


def test_two_files_two_services(house: House) -> None:
    """Services with a data folder and a file each do not get in each other's way."""
    with house.running() as one:
        one.wait_for("running")
        house.env["THREADCAST_DATA"] = "elsewhere"
        with house.running() as two:
            two.wait_for("running")
            assert two.stop() == 0
        assert one.stop() == 0


def test_a_server_is_nobodys_alone() -> None:
    """Services share a PostgreSQL database: there leases keep them apart."""
    assert service_lock("postgresql://h/d") is None


def test_a_lock_that_cannot_be_taken(tmp_path: Path) -> None:
    """A lock that cannot be opened, or is none, is told with its path, and is no fault of ours."""
    with (
        pytest.raises(StoreError, match=rf"lock {tmp_path} cannot be opened: Is a directory"),
        held(tmp_path),
    ):
        pass
    if Path("/proc/self/ns/net").exists():  # a file that has no locks
        (tmp_path / "odd").symlink_to("/proc/self/ns/net")
        with pytest.raises(StoreError, match="the service's lock"), held(tmp_path / "odd"):
            pass

"""The main job on the real service: a file of threads becomes reply chains on both networks."""

import json
import shutil
import socket
import sqlite3
import subprocess
import sys
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.e2e.house import RUN, House, Process, chains_of, seven_chains, seven_threads, thread_text

pytestmark = pytest.mark.e2e
ROOT = Path(__file__).resolve().parents[2]


def wait_until_published(service: Process, count: int) -> None:
    """Wait until the service has said so of so many deliveries."""
    with service.said:
        assert service.said.wait_for(
            lambda: sum("published" in line for line in service.lines) >= count, 60
        ), "".join(service.lines)


def check_all_published(house: House) -> None:
    """Seven chains on each server, texts as written, and queue and history agree with the servers."""
    servers = {"news": house.on_telegram(), "masto": house.on_mastodon()}
    for posts in servers.values():
        assert chains_of(posts) == seven_chains()
        assert len(posts) == 48
    deliveries = house.json("history")["deliveries"]
    assert {(one["channel"], one["state"]) for one in deliveries} == {
        ("news", "published"),
        ("masto", "published"),
    }
    for channel, posts in servers.items():
        recorded = {
            (post["remote_id"], post["reply_to"], post["text"])
            for one in deliveries
            if one["channel"] == channel
            for post in one["posts"]
            if post["state"] == "sent" and post["url"]
        }
        assert recorded == set(posts)
    with sqlite3.connect(house.folder / "threadcast-data" / "queue.sqlite3") as database:
        rows = database.execute("SELECT remote_id FROM posts WHERE state = 'sent'").fetchall()
    database.close()
    assert {row[0] for row in rows} == {post[0] for posts in servers.values() for post in posts}
    assert len(rows) == 96


def test_seven_chains(house: House) -> None:
    """A file added while the service runs is published whole on both networks, and recorded as it is."""
    with house.running(*RUN) as service:
        service.wait_for("running")
        added = house.command("add", house.write(seven_threads()))
        assert added.returncode == 0, added.stderr
        assert "threadcast queue" in added.stdout, "the service was woken"
        wait_until_published(service, 14)
        assert service.stop() == 0
    check_all_published(house)


def test_a_post_in_hand_is_finished(house: House) -> None:
    """A stop waits for the answer in hand: the post is recorded, and its chain goes on from there."""
    release = house.telegram.hold_answer()
    house.command("add", "--channel", "news", house.write(thread_text(1, 3)))
    with house.running() as service:
        house.telegram.wait_for(lambda _: len(house.chat.messages) == 1)
        service.popen.terminate()
        service.wait_for("stopping")
        release.set()
        assert service.end() == 0
    (delivery,) = house.json("queue")["deliveries"]
    assert (delivery["state"], delivery["sent"], delivery["of"]) == ("publishing", 1, 3)
    with house.running() as service:
        wait_until_published(service, 1)
        assert service.stop() == 0
    assert chains_of(house.on_telegram()) == [
        [post["text"] for post in house.json("show", "1")["deliveries"][0]["posts"]]
    ]
    assert len(house.on_telegram()) == 3


def test_a_second_service(house: House) -> None:
    """A second service on the same data folder says so and exits; the first goes on."""
    with house.running() as service:
        service.wait_for("running")
        second = house.command("run")
        assert second.returncode == 5
        assert "already works in" in second.stderr
        assert service.stop() == 0


def test_nothing_set(house: House) -> None:
    """With nothing configured the service runs on SQLite and a local timeline, for its owner only."""
    house.env.clear()
    with house.running() as service:
        service.wait_for("running")
        house.command("add", house.write(thread_text(1, 3)))
        wait_until_published(service, 1)
        assert service.stop() == 0
    data = house.folder / "threadcast-data"
    assert data.stat().st_mode & 0o777 == 0o700
    assert (data / "queue.sqlite3").stat().st_mode & 0o777 == 0o600
    assert "And so lamp 1 was lit" in (data / "timeline.html").read_text(encoding="utf-8")


def test_the_procfile(house: House) -> None:
    """The Procfile's lines work as a process manager starts them; `web` serves at the port that it gives."""
    shutil.copy(ROOT / "Procfile", house.folder)
    honcho = [sys.executable, "-m", "honcho", "--procfile", str(house.folder / "Procfile")]
    house.env["PATH"] = f"{Path(sys.executable).parent}:/usr/bin:/bin"
    subprocess.run([*honcho, "check"], cwd=house.folder, check=True, capture_output=True)
    with house.running(*honcho, "run", "threadcast", "migrate") as release:
        assert release.end() == 0
    house.command("add", house.write(thread_text(1, 3)))
    house.env["THREADCAST_WEB__URL"] = "https://threads.example.org"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with house.running(*honcho, "start", "--port", str(port), "web") as web:
        house.wait_for_posts(3)
        with urlopen(f"http://127.0.0.1:{port}/health/ready") as answer:
            assert json.load(answer) == {"ready": True, "faults": {}}
        assert web.stop() in {0, -15, 143}
    assert len(house.on_mastodon()) == 3
    assert "\nworker: THREADCAST_WEB__LISTEN=off threadcast run\n" in (ROOT / "Procfile").read_text()


def test_a_group_that_moves(house: House) -> None:
    """A group that became a supergroup is followed, and its new id is known after a restart."""
    group = house.telegram.add_chat("group")
    house.env["THREADCAST_CHANNELS__NEWS__CHAT"] = str(group.id)
    new = house.telegram.migrate(group)
    house.command("add", "--channel", "news", house.write(thread_text(1, 3)))
    with house.running() as service:
        wait_until_published(service, 1)
        assert service.stop() == 0
    assert len(house.telegram.seen(new)) == 3
    assert [event["detail"] for event in house.json("events")["events"] if event["what"] == "moved"] == [
        f"to {new.id}"
    ]
    asked = house.telegram.requests.copy()
    house.command("add", "--channel", "news", house.write(thread_text(2, 3)))
    with house.running() as service:
        wait_until_published(service, 1)
        assert service.stop() == 0
    assert len(house.telegram.seen(new)) == 6
    later = house.telegram.requests[len(asked) :]
    assert not [request for request in later if str(group.id).encode() in request.body]

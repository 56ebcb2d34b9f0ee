"""What every media store does, whether its files are in a folder or on a real S3 server."""

import json
import os
import time
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import pytest
from pydantic import SecretStr

from threadcast.bot.media.bucket import AwayError, Bucket
from threadcast.bot.media.errors import MediaError
from threadcast.bot.media.store import MediaStore, open_store
from threadcast.config.settings import load

pytest.importorskip("localbucket", reason="the S3 server of the tests is not installed: make develop")

from tests.servers.bucket import SECRET, BucketServer, running

OpenStore = Callable[[], MediaStore]
LATER = 3600.0


@pytest.fixture
def server(tmp_path: Path) -> Iterator[BucketServer]:
    with running(tmp_path / "server") as found:
        yield found


@pytest.fixture(params=["folder", "bucket"])
def open_one(request: pytest.FixtureRequest, tmp_path: Path) -> OpenStore:
    """Opens the same store again and again; a bucket as machines do that share nothing else."""
    if request.param == "folder":
        settings = load({"THREADCAST_MEDIA_URL": f"file://{tmp_path}/shared%20files"}, folder=tmp_path)
        return lambda: open_store(settings)
    server: BucketServer = request.getfixturevalue("server")
    machines = iter(range(100))
    return lambda: machine(tmp_path / f"machine {next(machines)}", server)


def machine(data: Path, server: BucketServer, **url: str) -> MediaStore:
    return open_store(load({"THREADCAST_DATA": str(data), **server.environ(**url)}, folder=data))


def read(store: MediaStore, digest: str) -> bytes:
    with store.opened(digest, "lamp.jpg") as path:
        return path.read_bytes()


@pytest.mark.parametrize("size", [5, 12 * 1024 * 1024])
def test_what_is_kept_is_there_for_all(open_one: OpenStore, size: int) -> None:
    """What one keeps, another finds by the beginning of its digest and reads byte for byte, however large."""
    content = os.urandom(size)
    kept = open_one().keep("lamp.jpg", BytesIO(content))
    assert (kept.size, kept.head) == (size, content[:4096])
    other = open_one()
    assert other.found(kept.digest[:16]) == kept.digest
    assert other.found("0" * 16) is None
    assert read(other, kept.digest) == content


def test_the_same_content_is_kept_once(open_one: OpenStore) -> None:
    one, other = open_one().keep("a.jpg", BytesIO(b"lamp")), open_one().keep("b.jpg", BytesIO(b"lamp"))
    assert one == other
    assert open_one().sweep(frozenset(), before=time.time() + LATER) == 1


def test_what_no_thread_needs_goes(open_one: OpenStore) -> None:
    """What no thread needs is removed once it is old enough, for all; what one needs stays."""
    store = open_one()
    needed, spare = (store.keep("a", BytesIO(content)).digest for content in (b"needed", b"spare"))
    assert store.sweep(frozenset(), before=time.time() - LATER) == 0
    assert store.sweep(frozenset({needed[:16]}), before=time.time() + LATER) == 1
    assert read(store, needed) == read(open_one(), needed) == b"needed"
    for one in (store, open_one()):
        assert one.found(spare[:16]) is None
        with pytest.raises(
            MediaError, match=r"lamp\.jpg is not in .* any more; add the thread again with it"
        ):
            read(one, spare)


def test_files_belong_to_one_queue(open_one: OpenStore) -> None:
    """The first queue that asks has the files; another one, by whatever mistake it came here, does not."""
    assert open_one().belongs_to("a queue")
    assert not open_one().belongs_to("another")
    assert open_one().belongs_to("a queue")


def test_what_is_none_of_ours_stays(server: BucketServer, tmp_path: Path) -> None:
    """A sweep leaves alone what others put into the bucket."""
    store = machine(tmp_path / "data", server)
    store.keep("a", BytesIO(b"ours"))
    other = server.bucket / "a" / "prefix" / "letters.txt"
    other.write_text("theirs")
    assert store.sweep(frozenset(), before=time.time() + LATER) == 1
    assert other.read_text() == "theirs"


def test_copies_go_and_come_again(server: BucketServer, tmp_path: Path) -> None:
    """A copy that was not at work lately is removed, and brought again when its thread is due."""
    store = machine(tmp_path / "data", server)
    digest = store.keep("a", BytesIO(b"lamp")).digest
    copy = tmp_path / "data" / "media" / digest[:2] / digest
    assert store.sweep(frozenset({digest}), before=time.time() + LATER) == 0
    assert not copy.exists()
    assert read(store, digest) == copy.read_bytes() == b"lamp"
    os.utime(copy, (1, 1))
    read(store, digest)
    store.sweep(frozenset({digest}), before=time.time() - LATER)
    assert copy.exists()  # it was at work just now


def test_a_folder_moves_into_a_bucket(server: BucketServer, tmp_path: Path) -> None:
    """Files that were kept before there was a bucket are put into it, and not lost."""
    digest = MediaStore(tmp_path / "data").keep("a", BytesIO(b"lamp")).digest
    store = machine(tmp_path / "data", server)
    assert read(store, digest) == b"lamp"
    store.sweep(frozenset({digest}), before=time.time() + LATER)
    assert read(machine(tmp_path / "another", server), digest) == b"lamp"


def test_content_that_changed_is_not_used(server: BucketServer, tmp_path: Path) -> None:
    """An object that is not what was kept is none: nobody publishes what somebody put in its place."""
    digest = machine(tmp_path / "one", server).keep("a", BytesIO(b"lamp")).digest
    (server.bucket / "a" / "prefix" / digest[:2] / digest).write_bytes(b"mine")
    with pytest.raises(MediaError, match="is not in s3://media/a/prefix any more"):
        read(machine(tmp_path / "other", server), digest)


FAULTS: dict[str, tuple[dict[str, str], str, str]] = {
    "secret": ({"secret": "another-secret"}, r"does not let us in \(SignatureDoesNotMatch\)", "MEDIA_SECRET"),
    "key": ({"key": "AKOTHER"}, r"does not let us in \(InvalidAccessKeyId\)", "access_key_id"),
    "bucket": ({"bucket": "nowhere"}, r"there is no s3://nowhere/a/prefix.*\(NoSuchBucket\)", "make it"),
    "server": ({}, "where the files are kept, cannot be reached", "THREADCAST_MEDIA_URL"),
}


@pytest.mark.parametrize("what", FAULTS)
def test_a_store_that_cannot_be_used(server: BucketServer, tmp_path: Path, what: str) -> None:
    """Whatever is asked of it, the same sentence says what is wrong and what to look at, and no secret."""
    wrong, said, advice = FAULTS[what]
    if what == "server":
        server.stop()
    store = machine(tmp_path / "data", server, **wrong)
    for ask in (
        lambda: store.keep("a", BytesIO(b"lamp")),
        lambda: store.found("ab"),
        lambda: read(store, "0" * 64),
        lambda: store.sweep(frozenset(), before=0),
        lambda: store.belongs_to("a queue"),
    ):
        with pytest.raises(AwayError, match=said) as caught:
            ask()
        assert advice in caught.value.advice
        assert not {SECRET, "another-secret"} & set(f"{caught.value!r} {caught.value.advice}".split())


KEY_FILE = Path(__file__).parents[2] / "bot" / "media" / "files.example.pem"


def test_the_stores_of_others() -> None:
    """Google's and Microsoft's stores are made of their address and secret, which nobody sees."""
    key = KEY_FILE.read_text(encoding="ascii").partition("-----BEGIN CERTIFICATE")[0]
    account = {"client_email": "us@example.org", "private_key": key, "private_key_id": "1"}
    for url, secret, shown in (
        ("gs://bucket/prefix", json.dumps(account), 'GCSStore(bucket="bucket", prefix="prefix")'),
        (
            "az://container/prefix?account_name=ours",
            "c2VjcmV0LWtleQ==",
            'AzureStore(container_name="container", account_name="ours", prefix="prefix")',
        ),
    ):
        bucket = Bucket(url, SecretStr(secret))
        assert repr(bucket._store()) == shown  # no server of theirs can be had here
        with pytest.raises(AwayError, match="cannot be reached"):
            Bucket(url, SecretStr("no key")).kept()

"""An object store for the files of threads, shared by several machines: S3 and its kin, and their like.

obstore is imported with the first call: most commands touch no file. What its errors say is not shown; they
are long, and may hold addresses that are signed.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pydantic import SecretStr

from threadcast.bot.languages import N_
from threadcast.bot.media.errors import MediaError
from threadcast.config.media import options_of
from threadcast.queue.sentences import Sentence

if TYPE_CHECKING:
    from obstore.store import ObjectStore

CONNECTING = timedelta(seconds=5)
SILENCE = timedelta(seconds=20)  # of the server, while it is read
WHOLE = timedelta(minutes=5)  # one call
TRIES = 2  # more than the first
TRYING = timedelta(seconds=15)
CHUNK = 5 * 1024 * 1024  # bytes; S3 takes no smaller parts
AT_ONCE = 2  # parts of one file

_SECRETS = {"s3": "secret_access_key", "gs": "service_account_key", "az": "account_key"}
# https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
_CODE = re.compile(r"<Code>(\w{1,60})</Code>")
_STATUS = re.compile(r"status code: ([0-9]{3})")
_CLOSED = frozenset({"401", "403"})
_NO_BUCKET = frozenset({"NoSuchBucket", "ContainerNotFound"})
_KEY = re.compile(r"[0-9a-f]{2}/[0-9a-f]{64}")


class AwayError(MediaError):
    """The store cannot be used now, whatever the file is. `advice` says what to look at."""

    def __init__(self, message: str, advice: str) -> None:
        super().__init__(message)
        self.advice = advice


class Bucket:
    """Objects by the digest of their content. Calls block, and raise AwayError."""

    def __init__(self, url: str, secret: SecretStr | None) -> None:
        self.address = url.partition("?")[0]
        self._scheme = urlsplit(url).scheme
        self._options = options_of(url)
        self._secret = secret
        self._opened: ObjectStore | None = None

    def put(self, digest: str, path: Path) -> None:
        """Put a file there, durably; the same again is new again."""
        with self._told():
            self._store().put(_key(digest), path, chunk_size=CHUNK, max_concurrency=AT_ONCE)

    def get(self, digest: str) -> Iterator[bytes]:
        """Yield what is there, piece by piece. Raises LookupError where there is nothing."""
        with self._told():
            for piece in self._store().get(_key(digest)).stream(min_chunk_size=CHUNK):
                yield bytes(piece)

    def mark(self, name: str, text: str) -> str:
        """Return what an object says; this, where there was none."""
        with self._told():
            try:
                return bytes(self._store().get(name).bytes()).decode(errors="replace")
            except FileNotFoundError as error:
                if _code(error) in _NO_BUCKET:
                    raise
            self._store().put(name, text.encode())
            return text

    def kept(self, beginning: str = "") -> dict[str, float]:
        """Return the digests that begin so, each with when it was put there, in seconds since the epoch.

        What else is there is none of ours.
        """
        with self._told():
            found = [one for some in self._store().list(beginning[:2] or None) for one in some]
        return {
            digest: one["last_modified"].timestamp()
            for one in found
            if _KEY.fullmatch(one["path"]) and (digest := one["path"][3:]).startswith(beginning)
        }

    def remove(self, digest: str) -> None:
        """Remove one object; none, where another machine was faster."""
        with suppress(LookupError), self._told():
            self._store().delete(_key(digest))

    def _store(self) -> "ObjectStore":
        if self._opened is None:
            from obstore.store import from_url  # noqa: PLC0415  # see above

            config: Any = dict(self._options)  # the names of one store's options
            if self._scheme == "s3":
                config["disable_bulk_delete"] = True  # not every server that speaks S3 knows it
            if self._secret is not None:
                config[_SECRETS[self._scheme]] = self._secret.get_secret_value()
            self._opened = from_url(
                self.address,
                config=config,
                client_options={
                    "allow_http": True,  # where the owner's endpoint is no https address
                    "connect_timeout": CONNECTING,
                    "read_timeout": SILENCE,
                    "timeout": WHOLE,
                },
                retry_config={"max_retries": TRIES, "retry_timeout": TRYING},
            )
        return self._opened

    @contextmanager
    def _told(self) -> Iterator[None]:
        from obstore.exceptions import BaseError  # noqa: PLC0415  # see above

        try:
            yield
        except FileNotFoundError as error:
            raise (self._away(error) if _code(error) in _NO_BUCKET else LookupError()) from None
        except (BaseError, OSError, ValueError) as error:
            raise self._away(error) from None

    def _away(self, error: Exception) -> AwayError:
        code, status = _code(error), _STATUS.search(str(error))
        if code in _NO_BUCKET:
            said = N_("there is no {store}, where the files are kept ({code})")
            advice = "make it, or name another one in THREADCAST_MEDIA_URL"
        elif status and status[1] in _CLOSED:
            said = N_("{store}, where the files are kept, does not let us in ({code})")
            advice = "check THREADCAST_MEDIA_SECRET and the access_key_id, or the AWS_… variables"
        else:
            broken = N_("{store}, where the files are kept, does not work now ({code})")
            said = broken if code else N_("{store}, where the files are kept, cannot be reached")
            advice = "check THREADCAST_MEDIA_URL and its secret, and whether that server answers from here"
        return AwayError(Sentence(said, store=self.address, code=code), advice)


def _key(digest: str) -> str:
    return f"{digest[:2]}/{digest}"


def _code(error: Exception) -> str:
    """Return the code in a server's answer; "" where there was none."""
    found = _CODE.search(str(error)) or _STATUS.search(str(error))
    return found[1] if found else ""

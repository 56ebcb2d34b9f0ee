"""A real S3 server for tests, LocalBucket, in a process of its own; and what it leaves out: signatures.

LocalBucket takes any credentials. Here each request has to be signed with the secret, as Amazon asks for it:
https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
"""

import hmac
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from http import HTTPStatus
from http.server import ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, quote, urlsplit

from localbucket import S3Error, S3Handler

KEY = "AKTESTKEY"
SECRET = "a-secret/of+the=bucket"  # of a server on loopback
REGION = "eu-central-1"
_SCHEME = "AWS4-HMAC-SHA256"


@dataclass(frozen=True, slots=True)
class BucketServer:
    """A running server; `bucket` is a folder, its objects are the files in it."""

    endpoint: str
    bucket: Path
    process: "subprocess.Popen[str]"

    def url(self, bucket: str | None = None, key: str = KEY) -> str:
        where = f"endpoint={self.endpoint}&region={REGION}&access_key_id={key}"
        return f"s3://{bucket or self.bucket.name}/a/prefix?{where}"

    @property
    def port(self) -> int:
        return int(self.endpoint.rpartition(":")[2])

    def environ(self, secret: str = SECRET, **url: str) -> dict[str, str]:
        """What an owner sets."""
        return {"THREADCAST_MEDIA_URL": self.url(**url), "THREADCAST_MEDIA_SECRET": secret}

    def stop(self) -> None:
        """From now on nobody answers."""
        self.process.terminate()
        self.process.wait()


@contextmanager
def running(folder: Path, port: int = 0) -> Iterator[BucketServer]:
    """Run a server whose only bucket is `media`."""
    bucket = folder / "media"
    bucket.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", __name__, str(folder), str(port)]
    root = Path(__file__).parents[2]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root) as process:
        assert process.stdout is not None
        server = BucketServer(f"http://127.0.0.1:{process.stdout.readline().strip()}", bucket, process)
        try:
            yield server
        finally:
            server.stop()


class Signed(S3Handler):  # type: ignore[misc]  # it is not typed
    """Refuses what is not signed with the secret."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the library's name
        """Say nothing."""

    def _dispatch(self, action: Callable[[str, str], None]) -> None:
        fault = self._fault()
        if fault:
            self._send_error(S3Error(HTTPStatus.FORBIDDEN, fault, "see the code"))
        else:
            super()._dispatch(action)

    def _fault(self) -> str:
        scheme, _, rest = self.headers.get("Authorization", "").partition(" ")
        given = dict(one.strip().partition("=")[::2] for one in rest.split(","))
        key, _, scope = given.get("Credential", "").partition("/")
        if scheme != _SCHEME or key != KEY:
            return "InvalidAccessKeyId"
        right = self._signature(given["SignedHeaders"].split(";"), scope)
        return "" if hmac.compare_digest(right, given["Signature"]) else "SignatureDoesNotMatch"

    def _signature(self, signed: list[str], scope: str) -> str:
        parts = urlsplit(self.path)
        pairs = parse_qsl(parts.query, keep_blank_values=True)
        query = sorted((quote(name, safe=""), quote(value, safe="")) for name, value in pairs)
        request = "\n".join(
            (
                self.command,
                parts.path,
                "&".join(f"{name}={value}" for name, value in query),
                *(f"{name}:{' '.join(self.headers[name].split())}" for name in signed),
                "",
                ";".join(signed),
                self.headers["x-amz-content-sha256"],
            )
        )
        text = "\n".join((_SCHEME, self.headers["x-amz-date"], scope, sha256(request.encode()).hexdigest()))
        key = f"AWS4{SECRET}".encode()
        for step in (*scope.split("/"), text):
            key = hmac.digest(key, step.encode(), "sha256")
        return key.hex()


def main(folder: str, port: str) -> None:
    Signed.data_root = Path(folder)
    with ThreadingHTTPServer(("127.0.0.1", int(port)), Signed) as server:
        print(server.server_address[1], flush=True)  # for who started it
        server.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])

"""Where the files of threads are kept: a folder of this machine, or an object store that several share."""

from typing import Annotated
from urllib.parse import parse_qsl, unquote, urlsplit

from pydantic import AfterValidator, SecretStr

from threadcast.config.documented import Doc
from threadcast.config.types import AdviceError

FOLDER = "file"
# What may stand behind the question mark. The stores are obstore's, and so are the names of their options:
# https://developmentseed.org/obstore/latest/api/store/aws/
OPTIONS = {
    FOLDER: frozenset[str](),
    "s3": frozenset({"endpoint", "region", "access_key_id", "virtual_hosted_style_request"}),
    "gs": frozenset[str](),
    "az": frozenset({"account_name", "endpoint"}),
}
# What obstore reads for itself, and nobody may see.
AMBIENT = (
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AZURE_STORAGE_ACCOUNT_KEY",
    "AZURE_STORAGE_CLIENT_SECRET",
    "GOOGLE_SERVICE_ACCOUNT_KEY",
)


def folder_of(url: str) -> str | None:
    """Return the folder that a `file://` address names, None where it is another store's."""
    parts = urlsplit(url)
    return unquote(parts.path) if parts.scheme == FOLDER else None


def options_of(url: str) -> dict[str, str]:
    """Return what stands behind the question mark."""
    return dict(parse_qsl(urlsplit(url).query, keep_blank_values=True))


def media_url(value: str) -> str:
    """Return the address of a store that we know, its scheme in lower case."""
    parts = urlsplit(value)
    known = OPTIONS.get(parts.scheme)
    if known is None or parts.fragment or not value.isprintable() or " " in value:
        raise ValueError("no store that we know")
    if "@" in parts.netloc:
        raise AdviceError("a secret belongs in THREADCAST_MEDIA_SECRET, or in a secret file of that name")
    if parts.scheme == FOLDER:
        if parts.netloc or not parts.path.strip("/") or parts.query:
            raise AdviceError("a folder's whole path begins behind file://, so that there are three slashes")
        return value
    if not parts.netloc:
        raise ValueError("no bucket")
    options = options_of(value)
    if options.keys() - known:
        fitting = ", ".join(sorted(known)) or "nothing"
        raise AdviceError(f"behind the ? may stand {fitting}; a secret belongs in THREADCAST_MEDIA_SECRET")
    endpoint = urlsplit(options.get("endpoint", "https://example.org"))
    if endpoint.scheme not in {"https", "http"} or not endpoint.hostname or "@" in endpoint.netloc:
        raise AdviceError("the endpoint is the server's address: endpoint=https://s3.example.org")
    return f"{parts.scheme}{value[len(parts.scheme) :]}"


MediaUrl = Annotated[
    str,
    AfterValidator(media_url),
    Doc(
        "where the files that threads show are kept; one place for each queue",
        "file:///a/folder, s3://bucket/prefix, gs://bucket/prefix or az://container/prefix",
        "s3://my-bucket/threads?endpoint=https://s3.example.org&region=eu-central-1&access_key_id=AK1",
        "the folder media of the data folder",
    ),
]
MediaSecret = Annotated[
    SecretStr | None,
    Doc(
        "the secret key of that store, where the usual variables (AWS_SECRET_ACCESS_KEY) do not have it",
        "the secret that belongs to access_key_id or account_name; gs: the JSON of a service account's key",
        "your-secret-key",
        "",
    ),
]

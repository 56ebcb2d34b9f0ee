"""Files on a server: uploaded, looked at, shown by one status. https://docs.joinmastodon.org/methods/media/"""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from PIL import Image

from tests.servers.http import Request, Response
from tests.servers.mastodon.statuses import Account, ApiError

SUPPORTED = {
    "image/jpeg": "image",
    "image/png": "image",
    "image/gif": "gifv",
    "image/webp": "image",
    "video/mp4": "video",
    "audio/ogg": "audio",
    "audio/mpeg": "audio",
}
LIMITS: Mapping[str, Any] = {
    "supported_mime_types": list(SUPPORTED),
    "image_size_limit": 16 * 1024 * 1024,
    "image_matrix_limit": 33_177_600,
    "video_size_limit": 99 * 1024 * 1024,
    "description_limit": 1500,
}
MOST = 4


@dataclass(eq=False)
class Attachment:
    """A file that an account has uploaded. `left` is how often the server says that it is still at work."""

    id: str
    account: Account
    kind: str
    description: str
    focus: str = ""
    left: int = 0
    broken: bool = False
    status: str | None = None
    data: bytes = b""

    def to_json(self) -> dict[str, Any]:
        url = None if self.left else f"https://files.example/{self.id}"
        return {"id": self.id, "type": self.kind, "url": url, "description": self.description or None}


def in_range(focus: str) -> str:
    """Return a focal point. Raises ApiError where it is none."""
    try:
        numbers = [float(one) for one in focus.split(",")] if focus else []
    except ValueError:
        numbers = [9.0]
    if len(numbers) not in {0, 2} or any(abs(one) > 1 for one in numbers):
        raise ApiError(422, "Validation failed: Focus is invalid")
    return focus


class Call(Protocol):
    """As the server has it."""

    @property
    def account(self) -> Account: ...
    @property
    def request(self) -> Request: ...
    @property
    def about(self) -> str: ...


class Attachments:
    """All files of a server. `work` is how often it says of a video or an animation that it is at work."""

    def __init__(self) -> None:
        self.all: dict[str, Attachment] = {}
        self.work = 0
        self.breaks = False
        self.limits = dict(LIMITS)

    def upload(self, call: Call) -> Response:
        """Take a file. Raises ApiError."""
        upload = call.request.files.get("file")
        if upload is None or not upload.data:
            raise ApiError(422, "Validation failed: File can't be blank")
        described = call.request.form.get("description", [""])[-1]
        if len(described) > self.limits["description_limit"]:
            raise ApiError(422, "Validation failed: Description is too long")
        kind = SUPPORTED.get(upload.content_type)
        if kind is None:
            raise ApiError(422, "Validation failed: File content type is not supported")
        if upload.content_type.startswith("image/"):
            self._look(upload.data)
        elif len(upload.data) > self.limits["video_size_limit"]:
            raise ApiError(422, "Validation failed: File is too big")
        focus = in_range(call.request.form.get("focus", [""])[-1])
        number = f"{7000 + len(self.all)}"
        found = Attachment(number, call.account, kind, described, focus, data=upload.data)
        found.left = 0 if kind == "image" else self.work
        found.broken = self.breaks
        self.all[found.id] = found
        return Response(202 if found.left or found.broken else 200, found.to_json())

    def show(self, call: Call) -> Response:
        """Say how far the server is with a file. Raises ApiError."""
        found = self.all.get(call.about)
        if found is None or found.account is not call.account or found.status is not None:
            raise ApiError(404, "Record not found")
        if found.broken:
            raise ApiError(422, "Error processing thumbnail for uploaded media")
        if found.left:
            found.left -= 1
            return Response(206, found.to_json())
        return Response(200, found.to_json())

    def to_attach(self, account: Account, ids: Sequence[str], status: str | None = None) -> list[Attachment]:
        """The files that a new status shows, or one that is edited: what it showed once is its own for good.

        Raises ApiError. https://github.com/mastodon/mastodon/blob/main/app/services/update_status_service.rb
        """
        if len(ids) > MOST:
            raise ApiError(422, "Cannot attach more than 4 files")
        found = [self.all.get(one) for one in ids]
        known = [one for one in found if one and one.account is account and one.status in {None, status}]
        if len(known) != len(ids):
            raise ApiError(422, "Validation failed: Media cannot be found")
        if any(one.left or one.broken for one in known):
            raise ApiError(422, "Cannot attach files that have not finished processing")
        if len(known) > 1 and any(one.kind in {"video", "audio"} for one in known):
            raise ApiError(422, "Cannot attach a video to a post that already contains images")
        return known

    def describe(self, files: Sequence[Attachment], attributes: Sequence[Mapping[str, str]]) -> None:
        """What is said of files that a status shows; of others it is passed over. Raises ApiError."""
        for one in attributes:
            if len(one.get("description", "")) > self.limits["description_limit"]:
                raise ApiError(422, "Validation failed: Description is too long")
        given = {one["id"]: one for one in attributes}
        for file in files:
            file.description = given.get(file.id, {}).get("description", file.description)
            file.focus = in_range(given.get(file.id, {}).get("focus", file.focus))

    def _look(self, data: bytes) -> None:
        if len(data) > self.limits["image_size_limit"]:
            raise ApiError(422, "Validation failed: File is too big")
        with Image.open(io.BytesIO(data)) as image:
            assert not dict(image.getexif()), "a picture tells where it was taken"
            if image.width * image.height > self.limits["image_matrix_limit"]:
                raise ApiError(422, "Validation failed: File has too many pixels")

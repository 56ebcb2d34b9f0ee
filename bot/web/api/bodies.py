"""A text that was sent, with what is wished of it: as JSON, or as a form where files come along."""

import json
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Annotated, Any, BinaryIO, ClassVar, Final, Generic, TypeVar

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.datastructures import FormData, UploadFile

from threadcast.bot.media.errors import MediaError
from threadcast.bot.media.sources import SentFiles
from threadcast.bot.plain import plain
from threadcast.bot.requests.archives import unpack, with_unused
from threadcast.bot.requests.input import Intake, understand
from threadcast.bot.web.api.problems import Kind, ProblemError, faults

LARGEST: Final = 1024 * 1024  # bytes of a body, and of a text
LARGEST_FORM: Final = 128 * 1024 * 1024  # the same with its files
MOST_FILES: Final = 50
MOST_FIELDS: Final = 100
LONGEST_SOURCE: Final = 200  # characters
BINARY: Final = {"type": "string", "format": "binary"}
FORM: Final = "multipart/form-data"
JSON: Final = "application/json"

M = TypeVar("M", bound="Wish")
Name = Annotated[str, Field(min_length=1, max_length=64)]


class Wish(BaseModel):
    """What is asked of a text; with `packed`, of one text or of all in an archive."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)
    packed: ClassVar = False

    text: str = Field(
        default="", min_length=1, max_length=LARGEST, description="one thread or several, as text"
    )


class Addition(Wish):
    """A text to be queued. Without `channels` it goes to all of them, or as its own settings say."""

    packed: ClassVar = True

    channels: list[Name] = Field(default=[], max_length=100)
    at: str | None = Field(default=None, max_length=100, description="not before: fri 18:30, in 2h")
    hold: bool | None = Field(
        default=None,
        description="true: it waits for a person; false: it does not, though its channel holds every thread",
    )
    again: bool = Field(default=False, description="once more, where it was published before")
    source: str = Field(
        default="the API", max_length=LONGEST_SOURCE, description="where it comes from, for people"
    )


class Draft(Wish):
    """A text that nobody queues yet; how it would look on these channels, or on all."""

    packed: ClassVar = True

    channels: list[Name] = Field(default=[], max_length=100)


class Edit(Wish):
    """What a thread is to say."""

    dry_run: bool = Field(default=False, description="only say how many posts would be edited where")


class More(Wish):
    """Parts that go on from the last one of a thread."""


class Taking(Wish):
    """A thread whose chain was begun by hand: its first `parts` parts are out, the last of them at `last`."""

    channel: Name
    parts: int = Field(ge=1, lt=10**4)
    last: str = Field(min_length=1, max_length=2000, description="the link of that post, or its id")
    force: bool = Field(default=False, description="also where it cannot be looked at, or shows another text")
    source: str = Field(
        default="the API", max_length=LONGEST_SOURCE, description="where it comes from, for people"
    )


@dataclass(frozen=True, slots=True)
class Sent(Generic[M]):
    """A text that came in, and its files by the names under which they came; or an archive of both."""

    wish: M
    source: str
    files: Mapping[str, BinaryIO]
    archive: BinaryIO | None = None

    def intakes(self) -> list[Intake]:
        """Return all that came, text by text. Blocks. Raises InputError."""
        return [self.read()] if self.archive is None else unpack(plain(self.source), self.archive)

    def read(self) -> Intake:
        """Return its threads; files that no line shows are noticed. Blocks. Raises InputError."""
        intake = understand(plain(self.source), self.wish.text.encode(), files=SentFiles(self.files))
        shown = {name for thread in intake.threads for one in thread.media for name in _names(one.source)}
        unused = [name for name in self.files if name not in shown]
        return with_unused(intake, unused) if unused else intake

    def proof(self) -> str:
        """Return a digest of all that was sent: the same where the same comes again. Blocks."""
        files = dict(self.files) if self.archive is None else {"": self.archive}
        digests = [(name, _digest(file)) for name, file in sorted(files.items())]
        said = json.dumps([self.wish.model_dump(), self.source, digests], ensure_ascii=True, sort_keys=True)
        return sha256(said.encode()).hexdigest()


def _digest(file: BinaryIO) -> str:
    found = sha256()
    file.seek(0)
    while chunk := file.read(LARGEST):
        found.update(chunk)
    return found.hexdigest()


def _names(source: str) -> list[str]:
    try:
        return SentFiles.spellings(source)
    except MediaError:  # said where it is looked for
        return []


def sent(kind: type[M]) -> Callable[[Request], AsyncIterator[Sent[M]]]:
    """Return what reads a body of this kind, and closes its files when it was answered."""

    async def receive(request: Request) -> AsyncIterator[Sent[M]]:
        given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if given == JSON:
            yield _checked(kind, await request.body(), {})
            return
        if given != FORM:
            raise ProblemError(Kind.FORMAT, "a text comes as JSON or as a form")
        limits = {"max_files": MOST_FILES, "max_fields": MOST_FIELDS, "max_part_size": LARGEST}
        async with request.form(**limits) as form:
            yield _checked(kind, *await _apart(kind, form))

    return receive


async def _apart(
    kind: type[Wish], form: FormData
) -> tuple[dict[str, Any], dict[str, BinaryIO], BinaryIO | None]:
    """Return the fields of a form, the files that its text shows, and the archive in place of both."""
    fields: dict[str, Any] = {}
    files: dict[str, BinaryIO] = {}
    archive = None
    for name, value in form.multi_items():
        if not isinstance(value, UploadFile):
            if name == "channels":
                fields.setdefault(name, []).append(value)
            else:
                fields[name] = value
        elif name == "files":
            key = value.filename or ""
            if not key or key in files:
                raise ProblemError(
                    Kind.UNUSABLE, f"files: each has a name of its own; {plain(key)!r} has not"
                )
            files[key] = value.file
        else:
            if name == "archive" and kind.packed:
                archive = value.file
            else:
                fields[name] = await _read(name, value)
            fields.setdefault("source", plain(value.filename or "")[:LONGEST_SOURCE])
    if "source" not in kind.model_fields:
        fields.pop("source", None)
    if archive is not None and (files or "text" in fields):
        raise ProblemError(Kind.UNUSABLE, "archive: text and files are in it; send none beside it")
    return fields, files, archive


async def _read(name: str, upload: UploadFile) -> str:
    """The text of a file; of a field of a form, a program may make one."""
    data = await upload.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise ProblemError(Kind.TOO_LARGE, f"{plain(name)} is larger than {LARGEST:,} bytes")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ProblemError(
            Kind.UNUSABLE, f"{plain(name)} is not UTF-8 text (byte offset {error.start}); save it as UTF-8"
        ) from None


def _checked(
    kind: type[M],
    body: bytes | Mapping[str, Any],
    files: Mapping[str, BinaryIO],
    archive: BinaryIO | None = None,
) -> Sent[M]:
    try:
        wish = (
            kind.model_validate_json(body, strict=True)
            if isinstance(body, bytes)
            else kind.model_validate(dict(body))
        )
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
        raise ProblemError(Kind.UNUSABLE, faults(found)) from None
    if not wish.text and archive is None:
        raise ProblemError(Kind.UNUSABLE, "text: Field required")
    return Sent(wish, getattr(wish, "source", "") or "the API", files, archive)


def described(kind: type[Wish]) -> dict[str, Any]:
    """Return the description of a body: one schema, in both formats."""
    schema = kind.model_json_schema()
    del schema["properties"]["text"]["default"]  # it is what an archive comes without
    required = schema.pop("required", [])
    files = {
        "type": "array",
        "items": BINARY,
        "maxItems": MOST_FILES,
        "description": "the files that the text shows, each under the name that it has there",
    }
    form = {**schema, "properties": {**schema["properties"], "files": files}}
    if kind.packed:
        archive = {**BINARY, "description": "a ZIP archive of texts and their files, in place of both"}
        form["properties"]["archive"] = archive
        form["oneOf"] = [{"required": ["text"]}, {"required": ["archive"]}]
    else:
        form["required"] = ["text", *required]
    text = {**schema, "required": ["text", *required]}
    return {"requestBody": {"required": True, "content": {JSON: {"schema": text}, FORM: {"schema": form}}}}


async def upload(request: Request) -> AsyncIterator[UploadFile]:
    """Read a form that is one file, and close that when it was answered."""
    if not request.headers.get("content-type", "").lower().startswith(FORM):
        raise ProblemError(Kind.FORMAT, "a file comes as a form", "send multipart/form-data with file")
    async with request.form(max_files=1, max_fields=1, max_part_size=LARGEST) as form:
        file = form.get("file")
        if len(form) != 1 or not isinstance(file, UploadFile) or not file.filename:
            raise ProblemError(Kind.UNUSABLE, "file: one file is taken, with its name")
        yield file


UPLOAD: Final = {
    "requestBody": {
        "required": True,
        "content": {
            FORM: {
                "schema": {
                    "type": "object",
                    "properties": {"file": BINARY},
                    "required": ["file"],
                    "additionalProperties": False,
                }
            }
        },
    }
}

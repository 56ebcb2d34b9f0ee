"""Files for a text that is being written: dropped on the page, kept by their content, and shown."""

import asyncio
from http import HTTPStatus
from typing import Annotated, Any, Final

from fastapi import APIRouter, HTTPException, Path, Request, Response
from fastapi.responses import FileResponse
from starlette.datastructures import FormData, UploadFile

from threadcast.bot.languages import _
from threadcast.bot.media.errors import MediaError
from threadcast.bot.media.store import MAX_FILE, SHORT
from threadcast.bot.plain import plain
from threadcast.bot.requests.archives import is_archive
from threadcast.bot.requests.drafting.text import with_line
from threadcast.bot.requests.errors import InputError
from threadcast.bot.requests.input import MAX_INPUT, understand
from threadcast.bot.web.sign_in import SignedIn, SiteHere, from_our_form
from threadcast.bot.web.writing.compose import ComposerHere, written
from threadcast.bot.web.writing.composer import Composer, family_of
from threadcast.bot.wording import SHELL, sentence
from threadcast.queue.text.media import as_line

router = APIRouter()

PATH: Final = "/compose/files"
LARGEST: Final = MAX_FILE + MAX_INPUT  # bytes, with the text beside them
AT_ONCE: Final = 20  # files
FIELDS: Final = 1000
MAX_FIELD: Final = 4 * 1024 * 1024  # bytes
SHOWN: Final = frozenset({"image", "video", "audio"})
LONGEST: Final = 100  # characters of a name

Digest = Annotated[str, Path(pattern=f"^[0-9a-f]{{{SHORT}}}$")]


@router.post(PATH)
async def take(request: Request, visitor: SignedIn, composer: ComposerHere) -> Response:
    """Put files into the text: a text is added behind it, what can be seen or heard is shown in a part.

    The body is read when it is known who sends it.
    """
    async with request.form(max_files=AT_ONCE, max_fields=FIELDS, max_part_size=MAX_FIELD) as form:
        from_our_form(visitor, _field(form, "csrf"))
        names = tuple(str(one) for one in form.getlist("channel"))
        one = written(_field(form, "text"), names, _field(form, "seen"))
        place = int(word) if (word := _field(form, "place")[:6]).isdecimal() else None
        text, problems = one.text, list[str]()
        for file in form.getlist("file"):
            if isinstance(file, UploadFile) and file.filename:
                try:
                    text = await asyncio.to_thread(_with_file, composer, text, file, place)
                except InputError as error:
                    problems.append(sentence(error, SHELL))
    new = written(text, names, one.seen)
    return await composer.seen(request, new, problems=problems, anew=text != one.text)


def _field(form: FormData, name: str) -> str:
    value = form.get(name, "")
    return value if isinstance(value, str) else ""


def _with_file(composer: Composer, text: str, upload: UploadFile, place: int | None) -> str:
    """Return a text with a file. Raises InputError, which names it."""
    name = plain(upload.filename or "")[-LONGEST:]
    file = upload.file
    if family_of(name, upload.content_type) in SHOWN:
        return with_line(text, as_line(composer.requests.threads.keep_file(name, file)), place)
    reads: Any = composer.requests.threads.unpacked if is_archive(file) else understand
    file.seek(0)
    read = reads(name, file.read(MAX_INPUT + 1)).text.strip("\n")
    return f"{text.rstrip()}\n\n{read}\n".lstrip("\n")


@router.get(PATH + "/{digest}")
def show(site: SiteHere, visitor: SignedIn, digest: Digest) -> Response:
    """A kept file that a browser shows."""
    try:
        path, file = site.requests(visitor).files.shown(digest)
    except MediaError:
        raise HTTPException(HTTPStatus.NOT_FOUND, _("That file is not kept here any more.")) from None
    if file.mime.partition("/")[0] not in SHOWN:
        raise HTTPException(HTTPStatus.NOT_FOUND, _("That file is not shown in a browser."))
    kept = {"Cache-Control": "private, max-age=3600"}
    return FileResponse(path, media_type=file.mime, headers=kept)

"""Threads: added once, listed, shown, previewed, edited, continued, forgotten; and their files."""

import asyncio
from contextlib import suppress
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Annotated, Final

from fastapi import APIRouter, Body, Depends, Header, Path, Query, Response
from fastapi.responses import FileResponse
from pydantic_core import to_json
from starlette.datastructures import UploadFile

from threadcast.bot import models
from threadcast.bot.media.sources import SentFiles
from threadcast.bot.people.tokens import Scope
from threadcast.bot.plain import plain
from threadcast.bot.requests.context import pick
from threadcast.bot.requests.input import inspected
from threadcast.bot.requests.preview import preview_posts
from threadcast.bot.requests.threads import Receipt
from threadcast.bot.web.api import answers
from threadcast.bot.web.api.bodies import (
    UPLOAD,
    Addition,
    Draft,
    Edit,
    More,
    Name,
    Sent,
    Taking,
    described,
    sent,
    upload,
)
from threadcast.bot.web.api.caller import Adder, Caller, Owner, Reader
from threadcast.bot.web.api.problems import Kind, ProblemError
from threadcast.bot.web.sign_in import ThreadNumber
from threadcast.config.schedule.words import parse_when
from threadcast.queue.errors import RepeatedError
from threadcast.queue.model import Once
from threadcast.queue.states import DeliveryState
from threadcast.queue.store.notes import ANSWERED, ANSWERS, ASKED

router = APIRouter(prefix="/threads", tags=["threads"])

MOST: Final = 100  # entries of a list, at a time
LONGEST_NAME: Final = 100  # characters of a file's name
ANYTHING: Final = "application/octet-stream"  # a browser that is led here shows nothing
Limit = Annotated[int, Query(ge=1, le=MOST, description="how many at most")]
Key = Annotated[str | None, Header(min_length=1, max_length=255, pattern="^[!-~]+$")]


@router.post(
    "",
    status_code=201,
    response_model=answers.Receipts,
    responses={200: {"model": answers.Receipts, "description": "All of it was there already"}},
    openapi_extra=described(Addition),
)
async def add(
    caller: Adder, given: Annotated[Sent[Addition], Depends(sent(Addition))], idempotency_key: Key = None
) -> Response:
    """Queue the threads of a text: all of them or, on any error, none.

    201 where something is new, 200 where all of it was there already. The same `Idempotency-Key` with the
    same body is given the same answer for a day, and adds nothing again; with another body it is refused.
    """
    wish = given.wish
    if wish.hold is False:
        caller.require(Scope.ALL, "to let a thread go that its channel holds")
    if wish.again:
        caller.require(Scope.ALL, "to publish a thread once more")
    if idempotency_key is None:
        return await asyncio.to_thread(lambda: _answer(_add(caller, given, None)))
    return await asyncio.to_thread(_add_once, caller, given, idempotency_key)


def _add_once(caller: Caller, given: Sent[Addition], key: str) -> Response:
    named = sha256(f"{caller.token.name}\0{key}".encode()).hexdigest()
    once = Once[Receipt](f"{ANSWERS}{named}", given.proof(), _said)
    if (known := _known(caller, once)) is not None:
        return known
    with suppress(RepeatedError):  # of two that come at once, one adds
        return _answer(_add(caller, given, once))
    known = _known(caller, once)
    assert known is not None  # noqa: S101  # or it was not repeated
    return known


def _known(caller: Caller, once: Once[Receipt]) -> Response | None:
    """The answer that was given before. Raises ProblemError where something else was asked for."""
    kept = caller.site.notes.read(once.page)
    if not kept:
        return None
    if kept[ASKED] != once.proof:
        raise ProblemError(Kind.OTHER_BODY, "this key came before, with another body")
    return _answer(kept[ANSWERED], {"Idempotency-Replayed": "true"})


def _add(caller: Caller, given: Sent[Addition], once: Once[Receipt] | None) -> str:
    wish = given.wish
    receipts = caller.requests.threads.add(
        given.intakes(),
        channels=wish.channels,
        at=_moment(caller, wish.at),
        hold=bool(wish.hold),
        approved=wish.hold is False,
        again=wish.again,
        once=once,
    )
    return _said(receipts)


def _moment(caller: Caller, words: str | None) -> datetime | None:
    if words is None:
        return None
    return parse_when(words, now=caller.site.clock(), zone=caller.site.zone, farthest=timedelta.max)


def _said(receipts: tuple[Receipt, ...]) -> str:
    """The answer as it is given and kept: its status, and its body."""
    status = 201 if any(one.added.deliveries for one in receipts) else 200
    body = answers.Receipts(threads=models.many(models.Receipt, receipts))
    return f"{status}\n{to_json(body).decode()}"


def _answer(said: str, headers: dict[str, str] | None = None) -> Response:
    status, _, body = said.partition("\n")
    return Response(body, int(status), headers, media_type="application/json")


@router.get("")
def list_threads(
    caller: Reader,
    limit: Limit = 50,
    before: Annotated[int | None, Query(ge=1, lt=10**9, description="only older ones than this")] = None,
    state: Annotated[DeliveryState | None, Query()] = None,
    channel: Annotated[str | None, Query(max_length=64)] = None,
) -> answers.Listing:
    """List threads, the newest first, with how they stand: of each what fits the filters."""
    states = None if state is None else frozenset({state})
    found = caller.requests.queries.newest(limit + 1, before=before, states=states, channel=channel)
    threads = models.many(models.Listed, found[:limit])
    return answers.Listing(threads=threads, next=threads[-1].id if len(found) > limit else None)


@router.get("/{thread}")
def show(caller: Reader, thread: ThreadNumber) -> models.Dossier:
    """Show one thread whole: its text, every post on every channel, and who did what."""
    return models.Dossier.model_validate(caller.requests.queries.show(thread))


@router.delete("/{thread}")
def remove(caller: Owner, thread: ThreadNumber) -> answers.Removed:
    """Forget a thread of which nothing was sent; what was done to it stays in the events."""
    caller.requests.threads.remove(thread)
    return answers.Removed(removed=thread)


@router.get("/{thread}/preview")
async def preview_thread(
    caller: Reader, thread: ThreadNumber, channel: Annotated[list[str] | None, Query(max_length=100)] = None
) -> answers.Previews:
    """Show the posts of a thread as each channel will have them."""
    dossier = await asyncio.to_thread(caller.requests.queries.show, thread)
    found = await preview_posts([dossier.stored.thread], pick(caller.requests.channels, channel or ()))
    threads = models.many(models.Thread, [dossier.stored.thread])
    return answers.Previews(threads=threads, previews=models.previews(found))


@router.put("/{thread}/text", openapi_extra=described(Edit))
async def edit(
    caller: Owner, thread: ThreadNumber, given: Annotated[Sent[Edit], Depends(sent(Edit))]
) -> answers.Edited:
    """Change what a thread says; what of it is out is edited where it stands.

    Parts at the end continue a published chain. With `dry_run` nothing is changed.
    """
    requests, text, files = caller.requests, given.wish.text, SentFiles(given.files)
    dossier = await asyncio.to_thread(requests.queries.show, thread)
    deliveries = [chain.delivery for chain in dossier.chains]
    edits = {}
    if dossier.is_out:
        correction = await requests.chains.correction(thread, text, files)
        edits = {name: many for name, many in correction.channels.items() if many}
        if not (given.wish.dry_run or correction.is_empty):
            deliveries = list(await asyncio.to_thread(requests.chains.correct, correction))
    elif not given.wish.dry_run:
        deliveries = list(await asyncio.to_thread(requests.threads.edit, thread, text, files))
    return answers.Edited(deliveries=models.many(models.Delivery, deliveries), edits=edits)


@router.patch("/{thread}/settings")
def change_settings(
    caller: Owner,
    thread: ThreadNumber,
    values: Annotated[dict[Name, str | bool | None], Body(min_length=1, max_length=50)],
) -> answers.Changed:
    """Change settings of a thread that has not begun; null leaves one to its channels again."""
    given = {name: str(one).lower() if isinstance(one, bool) else one for name, one in values.items()}
    changed = caller.requests.threads.settings(thread, given)
    return answers.Changed(deliveries=models.many(models.Delivery, changed))


@router.post("/{thread}/parts", openapi_extra=described(More))
async def extend(
    caller: Owner, thread: ThreadNumber, given: Annotated[Sent[More], Depends(sent(More))]
) -> answers.Changed:
    """Append parts to a thread; a published chain goes on from its last post."""
    intake = await asyncio.to_thread(given.read)
    extended = await asyncio.to_thread(caller.requests.threads.extend, thread, intake)
    return answers.Changed(deliveries=models.many(models.Delivery, extended))


@router.get("/{thread}/media")
def media(caller: Reader, thread: ThreadNumber) -> answers.Files:
    """List the files that a thread shows."""
    parts = caller.requests.queries.show(thread).stored.thread.parts
    shown = [(place, one) for place, part in enumerate(parts, 1) for one in part.media]
    return answers.Files(
        files=[
            answers.File(number=number, part=part, media=models.Media.model_validate(one))
            for number, (part, one) in enumerate(shown, 1)
        ]
    )


@router.get(
    "/{thread}/media/{number}",
    response_class=FileResponse,
    responses={200: {"content": {ANYTHING: {"schema": {"type": "string", "format": "binary"}}}}},
)
def file(caller: Reader, thread: ThreadNumber, number: Annotated[int, Path(ge=1, le=1000)]) -> Response:
    """Give one of these files, as it came; to be saved, for nothing of it may run here."""
    with caller.requests.threads.file(thread, number) as (shown, path):
        return FileResponse(path, media_type=ANYTHING, filename=plain(shown.name))


drafts = APIRouter(tags=["threads"])


@drafts.post("/preview", openapi_extra=described(Draft))
async def preview(caller: Adder, given: Annotated[Sent[Draft], Depends(sent(Draft))]) -> answers.Previews:
    """Show what the parser makes of a text, and each channel's posts; nothing is added or kept."""
    requests = caller.requests
    found = await asyncio.to_thread(lambda: [inspected(one, requests.files) for one in given.intakes()])
    read = [thread for one in found for thread in one.threads]
    looks = await preview_posts(read, pick(requests.channels, given.wish.channels))
    threads = models.many(models.Thread, read)
    return answers.Previews(threads=threads, previews=models.previews(looks))


@drafts.post(
    "/media",
    status_code=201,
    openapi_extra=UPLOAD,
)
def keep(caller: Adder, file: Annotated[UploadFile, Depends(upload)]) -> answers.Kept:
    """Keep a file, which a text may show then by its `source`; the same file again is answered the same.

    It goes a day later where no thread shows it.
    """
    media = caller.requests.threads.keep_file(plain(file.filename or "")[-LONGEST_NAME:], file.file)
    assert media.file is not None  # noqa: S101  # it is kept
    about = media.file
    return answers.Kept(
        source=media.source, sha256=about.digest, type=about.mime, kind=about.kind, size=about.size
    )


@drafts.post("/adopt", status_code=201, openapi_extra=described(Taking))
async def adopt(caller: Owner, given: Annotated[Sent[Taking], Depends(sent(Taking))]) -> answers.Receipts:
    """Take over a chain that was begun by hand, and go on behind its last post; that is looked at first."""
    wish, intake = given.wish, await asyncio.to_thread(given.read)
    receipt = await caller.requests.chains.adopt(
        intake, channel=wish.channel, parts=wish.parts, address=wish.last, force=wish.force
    )
    return answers.Receipts(threads=models.many(models.Receipt, [receipt]))

"""`threadcast check`: is everything there that publishing needs? Looks, and changes nothing."""

import asyncio
import os
from collections import Counter
from contextlib import closing, nullcontext
from pathlib import Path

from threadcast.bot.channels.build import open_channels
from threadcast.bot.channels.port import Finding
from threadcast.bot.channels.stored import in_use
from threadcast.bot.data_folder import has_queue, prepare
from threadcast.bot.languages import N_, translated
from threadcast.bot.media.bucket import AwayError
from threadcast.bot.media.store import SHORT, open_store
from threadcast.bot.people.people import People
from threadcast.bot.wording import SHELL, sentence
from threadcast.config.settings import Settings
from threadcast.queue.errors import StoreError
from threadcast.queue.sentences import Sentence
from threadcast.queue.states import WAITING
from threadcast.queue.store.backup import require_sound
from threadcast.queue.store.database import Database
from threadcast.queue.store.engine import doubts, parse_url, real_file
from threadcast.queue.store.fleet.jobs import require_jobs


async def examine(settings: Settings) -> list[tuple[str, Finding]]:
    """Return findings in the order of looking, each with what it is about.

    Channels are asked side by side; they know of the queue where it can be used.
    """
    database, settings, found = await asyncio.to_thread(_examine_queue, settings)
    configured = Sentence("{n} channel configured", "{n} channels configured", n=len(settings.channels))
    findings = [(N_("settings"), Finding("ok", configured))]
    findings += [(N_("queue"), one) for one in found]
    findings += [(N_("files"), one) for one in await asyncio.to_thread(_examine_files, settings)]
    people = People(settings.telegram)
    with nullcontext() if database is None else closing(database):
        if database is not None:
            people.read(database.notes)
        # What is damaged may be read, and is not written to.
        sound = None if any(one.level == "error" for one in found) else database
        async with open_channels(settings, sound) as channels:
            answers = await asyncio.gather(*(channel.check() for channel in channels))
    for channel, answer in zip(channels, answers, strict=True):
        findings += [(channel.name, one) for one in answer]
    if settings.telegram.token is not None:
        from threadcast.bot.chat.access import examine_chat  # noqa: PLC0415  # telegram: only where there is a bot

        findings += [(N_("chat"), one) for one in await examine_chat(settings, people)]
    return findings


def in_short(finding: Finding) -> str:
    """Return what was found and what to do, as a person who types reads it in one line."""
    return f"{translated(finding.what)}: {translated(finding.advice)}"


def _room_for_queue(file: Path) -> Finding:
    """Return whether a queue that is not there yet can be made."""
    unfit = _unfit(file.parent)
    if unfit is None:
        said = Sentence("there is none yet; it begins in {path} with the first thread", path=file.parent)
        return Finding("ok", said)
    advice = Sentence(
        "set THREADCAST_DATA to another folder, or let the user that runs Threadcast write there"
    )
    return Finding("error", Sentence("the queue cannot be made in {path}", path=unfit), advice)


def _unfit(folder: Path) -> Path | None:
    """Return the folder in which nothing can be made; None where this one is there or can be made."""
    there = next(one for one in (folder, *folder.parents) if os.path.exists(one))  # noqa: PTH110 - Path.exists may raise
    return None if there.is_dir() and os.access(there, os.W_OK | os.X_OK) else there


def _examine_files(settings: Settings) -> list[Finding]:
    """Return whether the files of threads can be kept where the settings say, if they say where."""
    if not settings.media_url:
        return []
    store = open_store(settings)
    try:
        store.found("0" * SHORT)
    except AwayError as error:
        return [Finding("error", str(error), error.advice)]
    if store.is_here and (unfit := _unfit(Path(store.place))):
        advice = Sentence(
            "name another folder in THREADCAST_MEDIA_URL, or let the user that runs Threadcast write there"
        )
        what = Sentence("the files of threads cannot be kept in {path}", path=unfit)
        return [Finding("error", what, advice)]
    return [Finding("ok", Sentence("they are kept in {place}", place=store.place))]


def _examine_queue(settings: Settings) -> tuple[Database | None, Settings, list[Finding]]:
    """Return the queue, None where it cannot be opened, the settings in use, and what was found."""
    url = settings.database_url.get_secret_value()
    database = None
    try:
        if not has_queue(settings):
            return None, settings, [_room_for_queue(real_file(parse_url(url)))]
        database = prepare(settings)
        require_sound(url)
        require_jobs(url)
        unsafe = doubts(url)
        waiting = database.reading.deliveries(states=WAITING)
        settings = in_use(settings, database.notes)
    except StoreError as error:
        return (
            database,
            settings,
            [Finding("error", Sentence("the queue cannot be used"), sentence(error, SHELL))],
        )
    names = {channel.name for channel in settings.channels}
    gone = Counter(one.channel for one in waiting if one.channel not in names)
    found = [Finding("ok", Sentence("the queue opens"))]
    for one in unsafe:
        lost = Sentence("a power cut may lose what was told last: {why}", why=one.what)
        found.append(Finding("warning", lost, one.advice))
    for name, waiting_for_it in sorted(gone.items()):
        what = Sentence(
            "{name} is not configured any more; waiting for it: {waiting}", name=name, waiting=waiting_for_it
        )
        step = Sentence(
            "configure it again, or cancel what waits; see: {command}",
            command=f"threadcast queue --channel {name}",
        )
        found.append(Finding("warning", what, step))
    return database, settings, found

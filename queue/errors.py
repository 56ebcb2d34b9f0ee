"""What can be wrong with the queue, as data: a fault, and what it is about.

Each fault carries the sentence that a face makes of it, with its own way to write a command:
`{run:show 7}` is `threadcast show 7` in a shell, `/show 7` in a chat.
"""

from collections.abc import Callable
from enum import Enum, StrEnum

# Where an event has another name for a person.
_WORDS = {"schedule": "publish now", "withdraw": "undo", "correct": "edit"}


class Fault(Enum):
    """What is wrong. The names in braces are those of `QueueError.about`."""

    # What a delivery's state does not allow.
    STATE = "{event} is not possible while {state}; possible now: {possible}"
    GOES_ON = "it goes on by itself, as soon as it may"
    NOT_ASKED = "{event} is nothing to ask for; possible: {possible}"
    AT_WORK = (
        "thread {thread_id} on {channel} is being published right now; "
        "to end it after the post in hand: {run:stop {thread_id} --channel {channel}}"
    )
    NO_PLACE = (
        "thread {thread_id} on {channel} is {state}: it has no place in the queue, as "
        "what is held or queued has"
    )
    BEHIND_ITSELF = "thread {thread_id} on {channel} cannot go behind itself"
    OTHER_CHANNEL = (
        "thread {thread_id} on {channel} cannot go behind thread {other_id} on "
        "{other_channel}: name one channel"
    )
    NONE_REFUSED = "no post of thread {thread_id} on {channel} was refused: there is none to skip"
    ONLY_POST = "thread {thread_id} on {channel} has no other post: cancel it instead"
    BEHIND_IT = (
        "posts behind post {position} of thread {thread_id} on {channel} are out: "
        "to begin anew, take them down first: {run:undo {thread_id} --channel {channel}}"
    )
    NONE_OUT = "no post of thread {thread_id} on {channel} is out: there is nothing to take down"
    BEGUN = (
        "thread {thread_id} on {channel} is {state}, and has begun: its text is fixed; "
        "more parts can be added with: {run:add --continue}"
    )
    PARTS_OUT = "{out} parts of thread {thread_id} on {channel} are out: keep them, and at least one more"
    NOT_ENDED = (
        "thread {thread_id} on {channel} is {state}, with {sent} of {posts} posts out: let it end first"
    )
    NOWHERE = "thread {thread_id} is nowhere queued or published: there is nothing to continue"
    OTHER_TEXT = (
        "thread {thread_id} was changed meanwhile, and nothing was done: look at it again, and edit it anew"
    )
    NO_PART = "thread {thread_id} has {parts} already: there is no part to add"
    MAY_BE_OUT = "thread {thread_id} on {channel} is {state}, and posts of it are out or may be: it is kept"
    SAME_TEXT = "thread {thread_id} on {channel} is {state}, and has the same text"
    MEANT_ALREADY = "thread {thread_id} is meant for {channel} already"
    NOTHING_OUT = "nothing of thread {thread_id} is out; see: {run:show {thread_id}}"
    NOTHING_IN_DOUBT = "nothing of thread {thread_id} is in doubt; see: {run:show {thread_id}}"

    REPEATED = "this was asked for before under the same key, and done: its answer is kept"

    # What there is not.
    NO_THREAD = "there is no thread {thread_id}; see: {run:queue}"
    NO_DELIVERY = "there is no delivery {delivery_id}"
    NO_CHANNEL = "the queue has never seen a channel called {channel}"
    NO_SLOTS = "the queue has never seen the channel {channel}: its slots cannot be noted"

    # What a worker asks for that cannot be true.
    LEASE_LOST = "thread {thread_id} on {channel} is no longer {worker}'s"
    CHANGED = "thread {thread_id} on {channel} was changed by another worker"
    PLANNED = "thread {thread_id} on {channel} is planned already, with {posts} posts"
    NO_POST_OUT = "thread {thread_id} on {channel} has no post of the parts that are out"
    NOTHING_TO_POST = "thread {thread_id} on {channel} has nothing to post"
    NO_POSITION = "{event} of thread {thread_id} on {channel} names no post"
    WRONG_END = "thread {thread_id} on {channel} has {sent} of {posts} posts out: {event} is wrong"
    NOT_PLANNED = "post {position} of thread {thread_id} on {channel} is not planned"
    NOT_NEXT = "post {position} of thread {thread_id} on {channel} is not the next: {sent} are out"
    NOT_SENDING = "post {position} of thread {thread_id} on {channel} was not being sent"
    NOT_OUT = "post {position} of thread {thread_id} on {channel} was not out"
    NOT_STOPPED = "thread {thread_id} on {channel} is {state}, neither withdrawn nor failed"
    BEGINNING = "a delivery begins as held or queued, not as {state}"
    ADOPTION = (
        "of the {parts} parts of an adopted thread at least one has to be out, and one has to be left: "
        "{out} is neither"
    )

    # The database's URL.
    URL = "the database URL cannot be read; expected {forms}"
    URL_KIND = "a database of kind {kind!r} is not supported; expected {forms}"
    URL_MORE = "the SQLite URL names more than a file; expected sqlite:///FILE (sqlite:////FILE from /)"
    URL_MEMORY = "the queue must outlive the program: the SQLite URL has to name a file, sqlite:///FILE"

    # The database as a file.
    OLD_SQLITE = (
        "this Python comes with SQLite {version}, and 3.35 or newer is needed: "
        "use a newer Python, or PostgreSQL"
    )
    NOT_MADE = "the database {path} cannot be made: {cause}; choose another folder, or mend its rights"
    MISSING = "there is no database {path}: run `{run:migrate}`"
    NOT_OPENED = "the database {path} cannot be opened: {cause}; mend its rights"
    NO_FILE = "the database {path} cannot be opened: it is not a file; name another one"
    REMOVED = (
        "the database {path} was removed while it was in use; "
        "put it back, or restore a backup; to begin with an empty queue: {run:migrate}"
    )
    REPLACED = (
        "the database {path} was replaced by another file while it was in use; "
        "put it back, or restore a backup; to begin with an empty queue: {run:migrate}"
    )
    REMOVED_IN_USE = (
        "{place} was removed while a service is using it; "
        "the service ends now: put the file back, or restore a backup"
    )
    TAKEN_AWAY = (
        "{place} is not there, though a service has worked in {path}: put it back, or restore a backup "
        "({run:restore FILE}); to begin with an empty queue: {run:migrate}"
    )
    NOT_BEGUN = (
        "there is no queue in {path}, and no settings are found; work in the folder of your .env, "
        "or say where the queue is to be: --data FOLDER, or THREADCAST_DATA"
    )
    DAMAGED = (
        "{place} is damaged ({cause}); "
        "put back a copy of it ({run:restore FILE}), or move it away to begin anew"
    )
    HELD = "the database {path} is held by another program; end it or wait, and try again"
    IN_USE = "the database {path} is held by another program; end it, and try again"
    NO_LOCK = (
        "the {whose}'s lock {path} cannot be opened: {cause}; mend the rights of the file and of its folder"
    )
    LOCKLESS = "the {whose}'s lock {path} cannot be taken: {cause}; choose a folder on a disk of this machine"
    RUNS_IN = (
        "a Threadcast service already works in {path}; stop it first, or set "
        "THREADCAST_DATA to another folder"
    )
    RUNS_ON = (
        "a Threadcast service already works on the database {path}; stop it first, "
        "or set THREADCAST_DATABASE_URL to another file"
    )
    FOLDER_NOT_MADE = "the data folder {path} cannot be made: {cause}; set THREADCAST_DATA to another folder"
    FOLDER_UNUSABLE = "the data folder {path} cannot be used: {cause}"

    NOT_PUBLISHED = (
        "{broken} of {chains} chains were not published; see why: THREADCAST_DATA={path} {run:history}"
    )

    # Its tables.
    NO_TABLES = "{place} has no tables yet: run `{run:migrate}`"
    OLD_TABLES = "{place} is of version {version}, not yet {head}: run `{run:migrate}`"
    STRANGE_TABLES = "{place} holds another program's tables ({tables}): name another database"
    NEWER_TABLES = (
        "{place} was made by a newer Threadcast (version {version}, this one knows "
        "{head}): use the newer program"
    )
    ODD_VERSION = "{place} has version {version!r}, which is not ours: name another database"

    # What the database says.
    FULL = "{place} could not be written: the disk is full ({cause}); make room and try again"
    READ_ONLY = "{place} may not be written ({cause}); mend the rights of the file and of its folder"
    BUSY = "{place} is held by another program ({cause}); end it or wait, and try again"
    CORRUPT = "{place} is damaged ({cause}); put back a copy of it, or move it away to begin anew"
    NO_DATABASE = "{place} is not an SQLite database ({cause}); name another file, or move this one away"
    UNOPENED = "{place} cannot be opened ({cause}); check that it is a file in a folder you may write to"
    FORBIDDEN = "{place} may not be opened ({cause}); mend the rights of the file and of its folder"
    DISK = "{place} could not be read or written ({cause}); check the disk"
    UNREACHED = "{place} cannot be reached ({cause}); check THREADCAST_DATABASE_URL and that the server runs"
    ODD_TEXT = "{place} cannot hold one of the texts ({cause}); take the character out that the cause names"
    HALF_CHARACTER = "{place} cannot hold a text with half a character in it"
    REPLICA = "{place} may not be written ({cause}); use the primary server, not a replica"
    NO_RIGHTS = (
        "{place} does not give us enough rights ({cause}); grant them to the user of THREADCAST_DATABASE_URL"
    )
    NO_ROOM = "{place} is out of room or connections ({cause}); make room on the server and try again"
    SHUT_DOWN = "{place} was shut down ({cause}); start the server and try again"
    COLLISION = "{place} was busy with another change to the same rows ({cause}); try again"
    UNUSABLE = "{place} cannot be used ({cause}); see the cause, and `{run:check}`"

    # Backups.
    OTHER_TOOL = "{place} has tools of its own for this: use {tool}"
    NOT_REPLACED = "{place} cannot be replaced: {cause}"
    NOT_COPIED = "{path} cannot be copied ({cause}); check the file and the room on the disk"
    THERE_ALREADY = "{path} is there already, and is not overwritten: name another file"
    KEPT_ALREADY = "{path} is there already, and is not overwritten: move it away"
    NOT_WRITTEN = "{path} cannot be written: {cause}; name another file"
    PLACE_NOT_MADE = "{path} cannot be made: {cause}; mend the rights of its folder"
    NOT_READ = "{path} cannot be read: {cause}; check the path"
    COPY_DAMAGED = "{path} is damaged ({cause}); use a backup made before"
    NO_BACKUP = "{path} is not a backup of a Threadcast queue; name the file that `{run:backup}` made"
    UNREADABLE_BACKUP = (
        "{path} is not a backup of a Threadcast queue; name the file that `{run:backup}` made ({cause})"
    )
    NEWER_BACKUP = (
        "{path} was made by a newer Threadcast (version {version}, this one knows "
        "{head}): use the newer program"
    )

    # An export that is taken back.
    NOT_EMPTY = (
        "the queue is not empty: take the export back into an empty one, in another folder (--data FOLDER)"
    )
    NOT_TAKEN = "the export cannot be taken back, {where}: {cause}; export the queue anew"


class QueueError(Exception):
    """Something of the queue is not as its caller needs it: a code, and what it is about."""

    def __init__(self, code: Fault, **about: object) -> None:
        super().__init__(code, about)
        self.code = code
        self.about = about

    def said(self, command: Callable[[str], str], translate: Callable[[str], str] = str) -> str:
        """Return the sentence, where `command` writes a command as it is typed there."""
        shown = {name: _shown(one, translate) for name, one in self.about.items()}
        return translate(self.code.value).format(run=_Command(command), **shown)

    def __str__(self) -> str:
        return self.said(lambda words: f"threadcast {words}")


class StoreError(QueueError):
    """The queue cannot be used, or not like this."""


class GoneError(StoreError):
    """The database was taken away while it was in use: whoever goes on would write what is lost."""


class BackupError(StoreError):
    """The file of a backup cannot be written or used."""


class NotFoundError(StoreError):
    """There is no such thread or delivery."""


class LeaseLostError(StoreError):
    """Another worker holds the delivery now: stop, and write nothing more."""


class NotAllowedError(QueueError):
    """The state does not allow what was asked."""


class RepeatedError(QueueError):
    """It was done before, under the same key; the notes have its answer."""


class _Command:
    def __init__(self, command: Callable[[str], str]) -> None:
        self._command = command

    def __format__(self, words: str) -> str:
        return self._command(words)


def _shown(one: object, translate: Callable[[str], str]) -> object:
    if isinstance(one, tuple):
        return ", ".join(str(_shown(each, translate)) for each in one) or translate("nothing")
    return translate(_WORDS.get(one, str(one))) if isinstance(one, StrEnum) else one

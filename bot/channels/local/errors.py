"""What became of a post whose timeline could not be written. Pure."""

import errno
from pathlib import Path

from threadcast.bot.channels.local.timeline import DamagedError, HalfWrittenError
from threadcast.queue.outcomes import Refused, Unknown, Unreached
from threadcast.queue.sentences import Sentence

# What a person has to mend first; anything else (a full disk, too many open files) may mend itself.
LASTING = {
    errno.EACCES,
    errno.EEXIST,  # the folder's name is a file's
    errno.EISDIR,
    errno.ELOOP,
    errno.ENAMETOOLONG,
    errno.ENOTDIR,
    errno.EPERM,
    errno.EROFS,
}


def classify(error: OSError | DamagedError | HalfWrittenError, path: Path) -> Refused | Unreached | Unknown:
    match error:
        case DamagedError():
            return Refused(str(error))
        case HalfWrittenError():
            return Unknown(Sentence("{path} was left half-written: {error}", path=path, error=error))
        case BlockingIOError():
            return Unreached(Sentence("{path} is in use by another process", path=path))
        case OSError(errno=number) if number in LASTING:
            return Refused(Sentence("cannot write {path}: {strerror}", path=path, strerror=error.strerror))
        case _:
            return Unreached(
                Sentence("cannot write {path}: {error}", path=path, error=error.strerror or error)
            )

"""Why a request cannot be met. Mostly as data, of which `bot/wording.py` makes the sentence."""

from collections.abc import Sequence
from enum import StrEnum

from threadcast.queue.errors import NotAllowedError, NotFoundError
from threadcast.queue.model import Delivery


class Problem(StrEnum):
    """What is wrong with a request."""

    UNKNOWN_CHANNEL = "unknown-channel"  # of these names there is none
    NEVER_MEANT = "never-meant"  # the thread for these channels
    NEVER_WAS = "never-was"  # such a thread
    NO_FILE = "no-file"  # of this number, which `names` has, is shown by the thread
    NOWHERE = "nowhere"  # on no channel, for the reasons in `refusals`
    NOT_HERE = "not-here"  # on this channel, for the reason in `cause`
    QUEUED = "queued"  # already
    BEHIND_ITSELF = "behind-itself"
    ELSEWHERE = "elsewhere"  # the thread to go behind is not meant for this channel
    NOT_ONE_UNSURE = "not-one-unsure"  # of its deliveries
    NO_SLOTS = "no-slots"  # no channel that the thread is meant for has a schedule
    SAME_TEXT = "same-text"  # is on this channel, as that delivery
    NOT_A_POST = "not-a-post"  # what a person named is no post of this channel
    NOT_THE_POST = "not-the-post"  # may not be: `names` has what was named, and its id
    NOT_SEEN = "not-seen"  # the network could not be looked at
    REMOVED = "removed"  # parts of what is out: `names` has how many there are now, and were
    INSERTED = (
        "inserted"  # a part in the middle of what is out: `names` has its number, as for the next three
    )
    MISFIT = "misfit"  # a part that would be another number of posts on this channel, or have other numbers
    BY_HAND = "by-hand"  # a part that was posted by hand, so that its post is not known
    FILE_COUNT = "file-count"  # a part that is out would show more files, or fewer, than this channel allows
    FILE_FAMILY = "file-family"  # an album that is out would show files that do not go together
    FILE_FIXED = "file-fixed"  # a part that is out would get a voice message, or lose one
    FIXED = "fixed"  # a setting, named in `names`, once something is out


class RequestError(Exception):
    """What the problem is about; which of these are set depends on it."""

    def __init__(
        self,
        problem: Problem,
        *,
        thread: int = 0,
        channel: str = "",
        names: Sequence[str] = (),
        deliveries: Sequence[Delivery] = (),
        cause: Exception | str = "",
        refusals: "Sequence[RefusedError]" = (),
    ) -> None:
        Exception.__init__(self, problem, thread, channel)  # not as an error of the queue
        self.problem = problem
        self.thread = thread
        self.channel = channel
        self.names = tuple(names)
        self.deliveries = tuple(deliveries)
        self.cause = cause
        self.refusals = tuple(refusals)

    def __str__(self) -> str:
        return self.problem  # not as an error of the queue, which has a sentence


class UnknownChannelError(RequestError):
    """No channel of that name is configured (or was ever, where it is looked back)."""


class UnknownThreadError(RequestError, NotFoundError):
    """There is no such thread, or not there."""


class RefusedError(RequestError, NotAllowedError):
    """How things stand does not allow it."""


class InputError(Exception):
    """The text given cannot be used; the message names the source, the cause and the next step.

    `encoding` is the one that it is likely to have.
    """

    def __init__(self, message: str, encoding: str = "") -> None:
        super().__init__(message)
        self.encoding = encoding


class NotNowError(InputError):
    """It could be used at another time."""

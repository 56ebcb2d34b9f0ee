"""How much a channel may post until when, and what that means for a chain. Pure; every value is frozen."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from threadcast.queue.sentences import Sentence

# What a post takes where nothing slows it down; Telegram lets about one a second into a chat.
A_POST = timedelta(seconds=1)
NO_GAP = timedelta(0)

WAITS = Sentence("waits for room")  # how the reason of a chain begins that has to wait


@dataclass(frozen=True, slots=True)
class Window:
    """`left` of `whole` (1 at least) until `ends` (UTC); then as much in each window of that `length`.

    `giver` says who gives it, as the beginning of “the account may post 12 more”. `spare` of it may go
    to calls that are no posts: it is never sure to be there.
    """

    whole: int
    left: int
    ends: datetime
    length: timedelta
    giver: str = Sentence("the account may post")
    spare: int = 0

    def at(self, moment: datetime) -> "Window":
        """The window that a moment, now or later, lies in."""
        if moment < self.ends:
            return self
        passed = (moment - self.ends) // self.length + 1
        return replace(self, left=self.whole, ends=self.ends + passed * self.length)

    def opens(self, posts: int, moment: datetime) -> datetime:
        """When a chain of so many posts may begin; one longer than a whole window needs an untouched one.

        Where no window is sure to be untouched, such a chain begins at once, and rests in its middle.
        """
        if self.spare and posts > self.whole - self.spare:
            return moment
        then = self.at(moment)
        return moment if then.left >= min(posts, self.whole) else then.ends


@dataclass(frozen=True, slots=True)
class Room:
    """When a chain may begin, when it should have ended, and how many windows it goes over.

    `reason` is for a person. Where the chain has to wait, it says for what; where it goes over several
    windows, it tells the plan, whether it may begin at once or not. It is empty otherwise.
    """

    at: datetime
    ends: datetime
    reason: str = ""
    windows: int = 1


@dataclass(frozen=True, slots=True)
class Prospect:
    """What the next chains of a channel can count on: how long a post takes, and the windows in force."""

    step: timedelta = A_POST
    windows: tuple[Window, ...] = ()
    files: Window | None = None  # of the files that are uploaded before a chain; None: as many as there are

    def room(self, posts: int, now: datetime, *, gap: timedelta = NO_GAP) -> Room:
        """Where a chain of so many posts finds room. It rests for `gap` between two of them."""
        if not self.windows or posts <= 0:
            return Room(now, self.ends(posts, now, gap=gap))
        tightest = max(self.windows, key=lambda window: window.opens(posts, now))
        longest = max(self.windows, key=lambda window: window.length)
        at = tightest.opens(posts, now)
        ends = self.ends(posts, at, gap=gap)
        count = -(-posts // longest.whole)
        if count > 1:
            reason = _plan(posts, longest, count, ends - now, ends)
            if at > now:
                reason = Sentence(
                    "{waits}: {reason}; it begins with a fresh window at {now}",
                    waits=WAITS,
                    reason=reason,
                    now=_moment(at, at - now),
                )
        elif at > now:
            left = tightest.at(now).left
            until = _moment(at, at - now)
            more = max(left, 0) or Sentence("no")
            reason = Sentence(
                "{waits}: {giver} {more} more until {until}, and the chain has {posts}",
                waits=WAITS,
                giver=tightest.giver,
                more=more,
                until=until,
                posts=posts,
            )
        else:
            reason = ""
        return Room(at, ends, reason, count)

    def uploaded(self, files: int, now: datetime) -> "tuple[Room, Prospect]":
        """When so many files are there, begun now, before any post goes out; and what is left then."""
        window, at, left = self.files, now, files
        if window is None or not files:
            return Room(now, now), self
        while left > (window := window.at(at)).left:
            left, at = left - max(window.left, 0), window.ends
        reason = ""
        if at > now:
            minutes, until = window.length // timedelta(minutes=1), _moment(at, at - now)
            reason = Sentence(
                "{waits}: the server takes {whole} files in {minutes} min, and the chain has {files}: "
                "uploaded by {until}",
                waits=WAITS,
                whole=window.whole,
                minutes=minutes,
                files=files,
                until=until,
            )
        return Room(at, at, reason), replace(self, files=replace(window, left=window.left - left))

    def ends(self, posts: int, start: datetime, *, gap: timedelta = NO_GAP) -> datetime:
        """When a chain that goes on at `start` with so many posts should be through."""
        return self._course(posts, start, gap)[0]

    def after(self, posts: int, start: datetime, *, gap: timedelta = NO_GAP) -> "Prospect":
        """What is left for the chains behind that one."""
        return replace(self, windows=self._course(posts, start, gap)[1])

    def _course(self, posts: int, at: datetime, gap: timedelta) -> tuple[datetime, tuple[Window, ...]]:
        """Send as fast as the windows allow: when the last post is out, and the windows then."""
        pause, ends, windows = self.step + gap, at, self.windows
        while posts > 0:
            windows = tuple(window.at(at) for window in windows)
            used_up = [window.ends for window in windows if window.left <= 0]
            if used_up:
                at = max(used_up)
                continue
            burst = min([posts, *(window.left for window in windows)])
            if pause:  # only those that begin before a window ends
                burst = min([burst, *(-((at - window.ends) // pause) for window in windows)])
            ends = at + (burst - 1) * pause + self.step
            at += burst * pause
            windows = tuple(replace(window, left=window.left - burst) for window in windows)
            posts -= burst
        return ends, windows


def _plan(posts: int, window: Window, count: int, away: timedelta, ends: datetime) -> str:
    hours = f"{window.length / timedelta(hours=1):g} h"
    through = _moment(ends, away)
    return Sentence(
        "its {posts} posts go over {count} windows of {whole} in {hours}, until about {through}",
        posts=posts,
        count=count,
        whole=window.whole,
        hours=hours,
        through=through,
    )


def _moment(moment: datetime, away: timedelta) -> str:
    """A moment for a person: with its day where that is not plain."""
    return f"{moment:%H:%M} UTC" if away < timedelta(days=1) else f"{moment:%d %b, %H:%M} UTC"

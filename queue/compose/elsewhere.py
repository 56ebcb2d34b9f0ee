"""Where else a thread is, as the end of a chain says it to readers. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from threadcast.queue.compose.rules import Post, Rules

NO_PART = 0  # of a post that says where else its thread is


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Where else a thread is: `line` says so to readers, at the end of a chain.

    `is_out`: it is there, whole; or it was taken down. None: neither, and nothing changes.
    """

    line: str
    is_out: bool | None

    @classmethod
    def at(cls, network: str, address: str | None, *, is_out: bool | None) -> "Elsewhere | None":
        """A chain on a network that begins at this address; None where others cannot open it."""
        is_open = address is not None and address.startswith(("https://", "http://"))
        return cls(f"🔗 {network.title()}: {address}", is_out) if is_open else None

    def said_by(self, post: Post) -> bool:
        return post.text.endswith(self.line)

    def appended(self, post: Post, rules: Rules) -> Post | None:
        """The post with the line at its end; None where there is no room for it."""
        text = f"{post.text}\n\n{self.line}" if post.text else self.line
        return replace(post, text=text, length=rules.measure(text)) if rules.fits(text, post.media) else None

    def is_due(self, out: Sequence[Post]) -> bool:
        """Whether a chain that is out should say this at its end, and does not; or the other way round."""
        return bool(self._wrong(out)) or (self.is_out is True and not self.said_by(out[-1]))

    def changes(self, out: Sequence[Post], rules: Rules) -> tuple[dict[int, Post], tuple[Post, ...]]:
        """Return what posts that are `out` become, by position, and what is to be sent behind them."""
        changed = {}
        for position in self._wrong(out):
            post = out[position - 1]
            text = post.text.removesuffix(self.line).rstrip()
            changed[position] = replace(post, text=text, length=rules.measure(text))
        if not self.is_out or self.said_by(out[-1]):
            return changed, ()
        if (last := self.appended(out[-1], rules)) is None:
            return changed, (Post(NO_PART, "", self.line, rules.measure(self.line)),)
        return changed | {len(out): last}, ()

    def _wrong(self, out: Sequence[Post]) -> list[int]:
        """The positions of those that say it and should not; one that says nothing else is left alone."""
        last = len(out) if self.is_out else 0
        said = [place for place, post in enumerate(out, 1) if post.part != NO_PART and self.said_by(post)]
        return [] if self.is_out is None else [place for place in said if place != last]

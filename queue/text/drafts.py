"""From markers to threads: which marks are parts of which thread. docs/ has the grammar."""

from dataclasses import dataclass, field

from threadcast.queue.text.markers import (
    BREAK,
    LARGEST_STEP,
    LAST,
    LEADING_END_MARK,
    Form,
    Mark,
    Marks,
    find,
    is_end,
)
from threadcast.queue.text.thread import Placement


@dataclass(slots=True)
class Draft:
    """A thread in the making. `start` is where its text begins (prefix: its first marker)."""

    form: Form
    start: int
    taken: list[Mark]  # the markers of its parts
    expected: int | None  # the second number, as long as it is certain to come
    closing: Mark | None = None  # an N/N that is the last part if no marker of its own form follows
    doubtful: Mark | None = None  # with the next number, in another strong form
    read: int = -1  # how far paragraphs were looked for
    paragraph: int = -1  # where the last one of those read begins, below the last marker

    @property
    def last(self) -> Mark:
        return self.taken[-1]

    @property
    def total(self) -> int | None:
        return self.last.form.total  # a closing N/N has one where the form has none

    @property
    def reach(self) -> int:
        """Where the last marker read ends; a suffix part does."""
        return (self.closing or self.last).end

    @property
    def over(self) -> bool:
        """Whether the part being read is the last by its own marker."""
        return self.closing is not None or self.form.total == self.last.number

    def add(self, mark: Mark) -> None:
        if mark.number == self.expected:
            self.expected = None
        self.taken.append(mark)
        self.closing = self.doubtful = None

    def deeper(self, mark: Mark) -> bool:
        """Whether a mark is indented deeper than the thread's first."""
        return mark.indent > self.taken[0].indent

    def misses(self, mark: Mark) -> bool:
        """Whether a mark that is not the thread's has the next number, in another strong form."""
        return (
            mark.number == self.last.number + 1
            and self.form.strong
            and mark.form.strong
            and self.form.placement is mark.form.placement is Placement.PREFIX
            and self.doubtful is None
            and self.closing is None
        )

    def continues(self, mark: Mark) -> bool:
        """Whether a sure mark of the thread's own form is a part, though not the next number."""
        return self.form.strong and mark.number - self.last.number <= LARGEST_STEP


def drafts(text: str) -> list[Draft]:
    """The threads of a text that has markers, in order. `text` begins and ends with a line break."""
    return _Reader(text, find(text)).drafts


@dataclass(slots=True)
class _Reader:
    """Goes through the marks of a text once."""

    text: str
    marks: Marks
    drafts: list[Draft] = field(default_factory=list)
    rival: int = -1  # the last mark passed that looks first

    def __post_init__(self) -> None:
        for position, mark in enumerate(self.marks):
            start = self._follow(self.drafts[-1], position) if self.drafts else self._open(position)
            if start is not None:
                expected = mark.number + 1 if self.marks.followed(position) else None
                self.drafts.append(Draft(mark.form, start, [mark], expected))
            if mark.sure and mark.looks_first:
                self.rival = mark.start
        for draft in self.drafts:
            if (closing := draft.closing) is not None:
                number = draft.last.number + 1
                draft.add(closing._replace(number=number, form=closing.form._replace(total=number)))

    def _open(self, position: int) -> int | None:
        """Where a text's first thread begins whose first marker this is; None where none does."""
        if not self.marks.opens_text(position):
            return None
        mark = self.marks[position]
        return mark.start if mark.form.placement is Placement.PREFIX else 0

    def _follow(self, draft: Draft, position: int) -> int | None:
        """Take the mark into the draft, or pass over it; or give the offset where it begins a new thread."""
        mark = self.marks[position]
        if mark.number == draft.last.number + 1:
            own = mark if mark.form == draft.form else mark.read_as(draft.form)
            if own.form == draft.form:
                if self._is_next(draft, own, position):
                    draft.add(own)
                return None
        if mark.closes(draft.form, draft.last.number):
            draft.closing = mark
            return None
        start = None
        if mark.sure and not draft.deeper(mark) and mark.number != LAST:
            start = self._begins(draft, position)
            if start is None and mark.form == draft.form and draft.continues(mark):
                draft.add(mark)
                return None
        if start is None and draft.misses(mark):
            draft.doubtful = mark
        return start

    def _is_next(self, draft: Draft, mark: Mark, position: int) -> bool:
        """Whether a mark of the thread's own form with the next number is its next part."""
        deeper = draft.deeper(mark)
        if mark.sure and not deeper:
            return True
        # A deeper mark of a weak form is of a list in the part.
        possible = mark.form.strong or not deeper
        return possible and not self.marks.better(position, draft.form, draft.taken[0].indent)

    def _begins(self, draft: Draft, position: int) -> int | None:
        """Where a new thread begins whose first marker this is; None where none does."""
        mark = self.marks[position]
        if mark.form != draft.form:
            return self._gives_way(draft, position)
        if not self._begins_again(draft, position):
            return None
        return mark.start if draft.form.placement is Placement.PREFIX else self._behind(draft)

    def _begins_again(self, draft: Draft, position: int) -> bool:
        """Whether a mark of the thread's own form begins the next thread."""
        mark = self.marks[position]
        if mark.number not in mark.form.firsts or mark.number == draft.expected:
            return False
        if draft.form.placement is Placement.SUFFIX:
            return self.rival < draft.reach and self.marks.followed(position)
        return (mark.form.leads and mark.number == 1) or self.marks.followed(position)

    def _gives_way(self, draft: Draft, position: int) -> int | None:
        """Where a thread of another form begins whose first marker this is; None where none does."""
        mark = self.marks[position]
        form = mark.form
        # `1 of 5` may follow a thread `N of 3`.
        may_begin = form.strong or (form.total is not None and form.shape == draft.form.shape)
        if draft.expected is not None or not may_begin or mark.number not in form.firsts:
            return None
        if not self.marks.followed(position):
            return None
        if form.placement is Placement.PREFIX:
            line = self.text.rfind("\n", 0, mark.start) + 1
            return mark.start if draft.over or self._paragraph(draft, mark) == line else None
        if draft.over and draft.form.placement is Placement.SUFFIX:
            return self._behind(draft) if self.rival < draft.reach else None
        start = self._paragraph(draft, mark)
        return start if start >= 0 and self.rival < start else None

    def _paragraph(self, draft: Draft, mark: Mark) -> int:
        """Where the last paragraph begins that begins between the draft's last marker and the mark's line."""
        line = self.text.rfind("\n", 0, mark.start) + 1
        if draft.read < draft.last.start:
            draft.read, draft.paragraph = draft.last.start, -1
        for match in BREAK.finditer(self.text, draft.read, line):
            if is_end(match, draft.last.number):
                draft.paragraph = match.end()
        draft.read = line
        return draft.paragraph

    def _behind(self, draft: Draft) -> int:
        """Where text goes on behind the draft's last marker and the end marks that stand alone there."""
        start = draft.reach
        while match := LEADING_END_MARK.match(self.text, start):
            start = match.end()
        return start

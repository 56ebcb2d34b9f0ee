"""From text to threads: markers, parts, notices. Pure; takes time linear in the text.

The grammar. A text holds any number of threads. Nothing in it is dropped: it is in a part, in a
marker, in the preamble or in a notice; white space at the ends of parts, invisible characters round a
marker, and `---` lines between parts aside. Text is composed first (NFC), and every line separator of
Unicode is a line break.

**Markers.** A marker stands at the start of a line, blanks before it aside (prefix), or at the end of
one, after some text and a blank (suffix). It is kept as written, lead-in included. A number has one to
four digits of any script, or is a keycap (`7️⃣`, `1️⃣2️⃣`, `🔟`); leading zeros do not count.

- Strong forms: `N/`, `N/M`, `(N/)`, `(N/M)`, `[N/]`, `[N/M]`, `【N/M】`, and `N/n`, also in brackets;
  `(N of M)`. `N/n`, `N/x`, `N/?`, `N/∞` and `N/…` are one form: they announce a total that the author does
  not know. Blanks may stand round the slash, or before one without a total.
- Weak forms: `N.`, `N)`, `N、`, `(N)`, `N of M`, `Part N` (and its like in other languages), keycaps, and
  circled numbers. At the end of a line only `(N)`, keycaps and circles: "in 1945." is no marker.
- A lead-in may stand before it: `🧵`, `Thread` in any case, `Thread:`, `#`, `Part`, and blanks. At the end
  of a line the bare word `Thread` belongs to the text. Emphasis (`**1/**`) and a sign behind it (`1/3.`,
  `(1/3):`) belong to the marker; behind a suffix marker, arrows and end marks do.
- `> `, `- ` and `# ` before a number make it another form: a quotation, a list, headings. Where a text has
  a plain strong pair 1 and 2, these are text.
- Full-width signs are as good as the others. A form is the same whatever digits it is written with.
- A prefix marker is sure where a blank follows, the end of the line, a letter, a quote, an emoji, an
  opening bracket, or one of `: @ # ¿ ¡`. It is none where a number goes on: `24/7`, `1.5`, `2/3/2025`.
- After a suffix marker come blanks and the end of the line.
- Nothing between two lines of three backticks or tildes is a marker.

**What begins a thread.** A marker is *followed* where its next number stands further down in the same
form and placement, before the same number, a 0 or a 1 of that form, indented no deeper where the form is
weak. For weak and suffix markers, a strong prefix 1 and 2 must not stand between the two.

- A text's first thread begins at the first sure strong prefix 1; or, where it comes earlier, at a strong
  prefix of another number, a weak 1, or a suffix 0 or 1, that is followed. (A text whose number 1 was
  lost begins at its first number, with a notice.)
- In a thread, its own form's number 1 begins the next thread: in a strong prefix form always (except
  after 0 alone), in others where it is followed. A strong 0 does where it is followed.
- Another strong form begins a thread with a 1 or 0 that is followed and stands at the start of a
  paragraph: after a blank line, after a line that ends with an end mark, or after a part N/N. A
  suffix thread's first part is then that paragraph. Where the running thread's first marker is
  followed, nothing else begins before its second.
- A suffix thread begins below another one only where no line of its first part looks like a first
  marker itself. Else its 1 is a step back, or text.

**What continues it.** A thread keeps the form of its first marker, total included; all other forms
are text, and so are markers indented deeper than its first.

- Strong form: any number. One that skips is a part, with a *missing* notice; so is a repeat or a step
  back, with its notice. A number that would skip 1000 or more is text: a year, an amount.
- Weak form: the expected next number only.
- The expected next number is a part even where it is not sure (`3/—so`, `3/$5`) or, in a strong form,
  indented deeper, unless it stands further down beyond doubt. Where it stands in the last part in
  another strong form, a notice says so.
- Where the markers have no total, the expected next number written as N/N in the same brackets, or n/n
  after `N/n`, is the last part, if no marker of the thread's own form comes after it.

**What belongs to a part.** Prefix: everything from its marker up to the next. Suffix: everything from
the marker before up to its own. Inner line breaks, blank lines and blanks are kept; blanks and blank
lines at the ends are dropped. Text before the first marker is the preamble (a suffix thread has none:
that text is its first part). Text after the last suffix marker is one more part, without number or
marker, with a notice; lines there that hold an end mark alone belong to the thread that ended, and
need no notice where nothing else stands there.

**What belongs to none.** What follows the last end mark of the last part and a blank line. A short line
by itself above the next thread: it is that thread's preamble. What a thread reader's page shows round
the posts (names, dates, counters, buttons), at the end of a part or the beginning of a suffix part.

**No marker.** The whole text is one part; lines `---` separate parts. Where its lines look numbered all
the same, a notice holds it.

**End marks.** The last word of a line in the last part: `/end` or `/fin` in any case (`30/end` too),
`END`, `🔚`, or N/N where N is the part's own number; or a last marker N/N. Kept as text.

**Total.** M is wrong where it is not the last number; a thread that begins at 0 may count its parts.
"""

from threadcast.queue.text.parts import threads_of
from threadcast.queue.text.thread import Thread, composed, written

_OTHER_LINE_BREAKS = "\r\v\f\x85\u2028\u2029"
_LINE_BREAKS = str.maketrans(dict.fromkeys(_OTHER_LINE_BREAKS, "\n"))
_BOMS = {b"\xef\xbb\xbf": "utf-8", b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}


class NotTextError(ValueError):
    """The bytes are not text. `offset` is the first byte that tells, counted from 0."""

    def __init__(self, offset: int, reason: str) -> None:
        super().__init__(f"not text: {reason} at byte offset {offset}; save the file as UTF-8 text")
        self.offset = offset


def decode(data: bytes) -> str:
    """The text in `data`: UTF-8 with or without a byte order mark, or UTF-16 with one.

    Line breaks CR LF and CR become LF. Raises NotTextError on other bytes, and on NUL, which no text
    holds and most binary files do.
    """
    bom, encoding = next((item for item in _BOMS.items() if data.startswith(item[0])), (b"", "utf-8"))
    try:
        text = data[len(bom) :].decode(encoding)
    except UnicodeDecodeError as error:
        raise NotTextError(len(bom) + error.start, f"no valid {encoding.upper()}") from None
    if (nul := text.find("\0")) >= 0:
        raise NotTextError(len(bom) + len(text[:nul].encode(encoding)), "a NUL character")
    return _line_feeds(text)


def parse(text: str) -> tuple[Thread, ...]:
    """Return the threads in `text`, in order; none in white space. Never raises."""
    return tuple(threads_of(_line_feeds(composed(text))))


def render(thread: Thread) -> str:
    """Return the thread as text, for export: `parse` gives the same thread back."""
    if not any(part.marker for part in thread.parts):
        return "\n---\n".join(part.text for part in thread.parts)
    body = "\n".join(written(part, thread.placement) for part in thread.parts)
    return f"{thread.preamble}\n\n{body}" if thread.preamble else body


def _line_feeds(text: str) -> str:
    text = text.replace("\r\n", "\n")
    return text.translate(_LINE_BREAKS) if any(sign in text for sign in _OTHER_LINE_BREAKS) else text

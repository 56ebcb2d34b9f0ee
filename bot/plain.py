"""Text that came from outside, fit for one line of a terminal or a log: nothing in it can drive either."""

import unicodedata

# Unicode categories that move the cursor, reorder text or show nothing: controls, and what has no glyph.
HIDDEN = frozenset({"Cc", "Cs", "Zl", "Zp"})
SHOWN = 60  # code points of a text that is quoted
BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def plain(text: str) -> str:
    """The text on one line, with � for each character that is not to be trusted."""
    return "".join(
        "�" if unicodedata.category(char) in HIDDEN or char in BIDI else char
        for char in text.replace("\n", " ")
    )


def quoted(text: str) -> str:
    """The beginning of a text, on one line and in quotation marks."""
    words = " ".join(text.split())
    return f"“{words if len(words) <= SHOWN else words[: SHOWN - 1].rstrip() + '…'}”"


def capital(text: str) -> str:
    """The text with a capital letter at its beginning."""
    return text[:1].upper() + text[1:]

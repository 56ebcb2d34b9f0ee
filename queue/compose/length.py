"""How long a text is, as each platform counts it. Pure.

Every function here takes the text of a post and gives its length in the platform's own unit; the limit
that goes with it comes from the server where it tells one. `functools.partial(mastodon, url_length=23)`
makes the one-argument callable that `Rules.measure` asks for.

All of them take time in proportion to the text, whatever is in it.
"""

import encodings.idna
import re
import stringprep
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from importlib import resources

import regex

URL_LENGTH = 23  # graphemes; what a Mastodon server says in characters_reserved_per_url
LONGEST_URL = 4096  # code points; a longer one is no link to Mastodon
LONGEST_DOMAIN = 253  # code points; of a mention
LONGEST_EMOJI = 16  # code points, with what stands around them
LONGEST_TCO_SLUG = 40  # code points; of a t.co link
TRIMMED = " \t\n\v\f\r\0"  # what Ruby's String#strip takes away, NO-BREAK SPACE and its like stay


def code_points(text: str, *, spoiler: str = "") -> int:
    """The length in code points, URLs in full: how GoToSocial counts, content warning included.

    https://codeberg.org/superseriousbusiness/gotosocial/src/branch/main/internal/api/client/statuses/statuscreate.go
    """
    return len(spoiler) + len(text)


def telegram(text: str) -> int:
    """The length in code points as Telegram counts a bot's plain text, white space at the ends left out.

    The Bot API server compares `utf8_length`, the number of code points, with the limit of 4096:
    https://github.com/tdlib/td/blob/master/td/telegram/MessageContent.cpp ("Message is too long").
    UTF-16 units, in which entities are counted, would be a safe over-count; we need none, because our
    posts have no entities.
    """
    return len(text.strip(TRIMMED))


def graphemes(text: str) -> int:
    """The number of what a reader sees as characters: UAX #29 extended grapheme clusters.

    Nothing is composed first (no NFC). https://www.unicode.org/reports/tr29/
    """
    if text.isascii():
        return len(text) - text.count("\r\n") if "\r" in text else len(text)
    not_plain, joining = _slow_looks()
    other = not_plain.search(text)
    if other is None:
        return len(text)
    joined = 0
    for run in joining.finditer(text, other.start()):
        piece = text[max(run.start() - 1, 0) : run.end()]
        # The same few emoji stand in all of a thread; a long run of something else is not worth keeping.
        joined += _joined(piece) if len(piece) <= LONGEST_EMOJI else _joined.__wrapped__(piece)
    return len(text) - joined


@lru_cache(maxsize=512)
def _joined(piece: str) -> int:
    """How many code points belong to the one before them."""
    return len(piece) - len(_CLUSTER.findall(piece))


def mastodon(text: str, *, url_length: int = URL_LENGTH, spoiler: str = "") -> int:
    """The length in graphemes as Mastodon counts it: the content warning and the text together.

    Each URL with a scheme counts `url_length`, shorter ones too; `@user@host` counts as `@user`; bare
    domains, hashtags and URLs in the content warning count as written. White space at the ends is left
    out. What is a URL is decided by Mastodon's own rule, odd corners included: a domain must end in a
    known top-level domain (`http://localhost` is text), and what follows a bare domain's slash belongs
    to it. Servers on a Ruby before 4.0 split Indic conjuncts (`क्ष`) in two and may count more.

    https://github.com/mastodon/mastodon/blob/main/app/validators/status_length_validator.rb
    https://github.com/mastodon/mastodon/blob/main/app/lib/extractor.rb
    https://github.com/mastodon/mastodon/blob/main/config/initializers/twitter_regex.rb
    https://github.com/mastodon/mastodon/blob/main/app/models/account.rb (MENTION_RE)
    """
    body = text.strip(TRIMMED)
    if "@" in body or (":" in body and "://" in body):  # one character is found much faster than three
        body = _countable(body, "x" * url_length)
    if not body or body.isspace():  # Mastodon counts no text that is blank
        body = ""
    return graphemes(spoiler.strip(TRIMMED) + body if spoiler else body)


# Characters that never join a neighbour of their own kind: Latin, Greek, Cyrillic, Hebrew, Arabic,
# punctuation, kana, Han and ready-made Hangul. Only what lies around other characters is worth the slow look.
_PLAIN = (
    r"\x20-\x7E\n\t\u00A0-\u00A8\u00AA-\u00AC\u00AF-\u02FF\u0370-\u0482\u048A-\u0587"
    r"\u05D0-\u05EA\u060C\u061B\u061F\u0620-\u064A\u0671-\u06D3\u1E00-\u1FFF"
    r"\u2010-\u2027\u2030-\u203B\u203D-\u2048\u204A-\u205F\u20A0-\u20BF\u3001-\u3029\u3041-\u3096\u309B-\u30FF"
    r"\u3400-\u4DBF\u4E00-\u9FFF\uAC00-\uD7A3\uFF01-\uFF9D"
)
_CLUSTER = regex.compile(r"\X")


@cache
def _slow_looks() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """What is not plain, and each run of it with a neighbour; compiled where a text is not all ASCII."""
    # The first sign stands alone in the pattern, so that the search is for it.
    joining = rf"[^{_PLAIN}][^{_PLAIN}]*(?:[{_PLAIN}][^{_PLAIN}]+)*[{_PLAIN}]?"
    return re.compile(f"[^{_PLAIN}]"), re.compile(joining)


def _countable(text: str, url: str) -> str:
    """The text with each URL replaced and each mention shortened."""
    taken = list(_urls(text, url))
    if "@" in text:
        taken = sorted([*taken, *_mentions(text)])
    out: list[str] = []
    end = 0
    for start, stop, instead in taken:
        if start < end:  # of two that overlap, the first one counts
            continue
        out += text[end:start], instead
        end = stop
    out.append(text[end:])
    return "".join(out)


def _any_of(words: Iterable[str]) -> str:
    """A pattern for any of the words, the longest that fits first: a tree, which is fast to walk."""
    tails: dict[str, set[str]] = {}
    for word in words:
        tails.setdefault(word[:1], set()).add(word[1:])
    whole = tails.pop("", None)
    if not tails:
        return ""
    branches = "|".join(regex.escape(head) + _any_of(tails[head]) for head in sorted(tails))
    return f"(?:{branches}){'' if whole is None else '?'}"


# The pieces of twitter-text's URL, with Mastodon's changes. Every part stops at white space, save that the
# query of a URL runs over the wide and no-break blanks outside ASCII: so the text can be looked at in
# chunks between ASCII blanks, and only in those that have a scheme.
_DIRECTIONS = r"\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069"
_SPACES = r"\x85\u00A0\u1680\u180E\u2000-\u200A\u2028\u2029\u202F\u205F\u3000"
_NO_DOMAIN = rf"\x3A-\x40\x5B-\x5E\x60\x7B-\x7F{_DIRECTIONS}{_SPACES}\uFFFE\uFEFF\uFFFF"
_LETTER = rf"[^\x00-\x2F_{_NO_DOMAIN}]"
_SUBDOMAIN = rf"{_LETTER}(?:[^\x00-\x2C\x2E\x2F{_NO_DOMAIN}]*{_LETTER})?\."
_DOMAIN_NAME = rf"{_LETTER}(?:[^\x00-\x2C\x2E\x2F_{_NO_DOMAIN}]*{_LETTER})?\."
_PATH = r"[^\s<>()?]"
_PARENS = rf"\((?:{_PATH}+|{_PATH}*\({_PATH}+\){_PATH}*)\)"
_PATH_END = rf"(?:[^\s()?!*\"'「」<>;:=,.$%\[\]~&|@]|{_PARENS})"
_WIDE = (
    r"\u00A0-\uD7FF\uE000-\uFDCF\uFDF0-\uFFEF\U00010000-\U0001FFFD\U00020000-\U0002FFFD"
    r"\U00030000-\U0003FFFD\U00040000-\U000DFFFD\U000E1000-\U000EFFFD\U000F0000-\U0010FFFD"
)
_QUERY = rf"\?[a-z0-9!?*'();:&=+$/%#\[\]\-_.,~|@^{_WIDE}]*[a-z0-9_&=#/\-{_WIDE}]"
_BEFORE_URL = r"(?:[^A-Z0-9@＠$#＃\uFFFE\uFEFF\uFFFF]|^)"
_SCHEME = r"(?P<scheme>(?:https?|dat|dweb|ipfs|ipns|ssb|gopher|gemini)://)"
_FLAGS = regex.IGNORECASE | regex.VERSION0


# All top-level domains make patterns that take a good part of a second to compile: most commands need none.
@cache
def _top_level() -> str:
    lines = resources.files(__package__).joinpath("tlds.txt").read_text(encoding="utf-8").splitlines()
    domains = (domain for line in lines if not line.startswith("#") for domain in line.split())
    return rf"(?:{_any_of(domains)}(?![0-9a-z@+\-])|xn--[0-9a-z]+)"


@cache
def _url(scheme: str) -> regex.Pattern[str]:
    return regex.compile(
        rf"{_BEFORE_URL}(?P<url>{scheme}"
        rf"(?P<domain>(?:{_SUBDOMAIN}){{0,2048}}{_DOMAIN_NAME}{_top_level()})"
        rf"(?::[0-9]+)?"
        rf"(?:/(?:{_PATH}*(?:{_PARENS}{_PATH}*)*{_PATH_END}|{_PATH}+/)*)?"
        rf"(?:{_QUERY})?)",
        _FLAGS,
    )


def _bare_url() -> regex.Pattern[str]:
    """A bare domain with a path or a query may run over a scheme that comes after it."""
    return regex.compile(rf"\.{_top_level()}(?::[0-9]+)?[/?]", _FLAGS)


@cache
def _tco() -> regex.Pattern[str]:
    return regex.compile(rf"https?://t\.co/([a-z0-9]+)(?:{_QUERY})?", _FLAGS)


_BLANKS = " \t\n\v\f\r"
_BLANK = re.compile(f"[{_BLANKS}]")


def _urls(text: str, instead: str) -> Iterator[tuple[int, int, str]]:
    """Where the URLs with a scheme are, and what they count as."""
    for begin, stop in _chunks(text):
        piece = text[begin:stop]
        # Composing measures the same URL many times; what is too long to be one is not worth keeping.
        links = _links(piece) if len(piece) <= LONGEST_URL else _links.__wrapped__(piece)
        for start, end in links:
            yield begin + start, begin + end, instead


def _chunks(text: str) -> Iterator[tuple[int, int]]:
    """Where the text between ASCII blanks is that has a scheme in it."""
    end = 0
    while (scheme := text.find("://", end)) >= 0:
        start = max(end, *(text.rfind(blank, end, scheme) + 1 for blank in _BLANKS))
        blank = _BLANK.search(text, scheme)
        end = blank.start() if blank else len(text)
        yield start, end


@lru_cache(maxsize=512)
def _links(piece: str) -> tuple[tuple[int, int], ...]:
    """Where the URLs with a scheme are in text without ASCII blanks."""
    links: list[tuple[int, int]] = []
    before = piece.rindex("://")
    bare = "." in piece[:before] and _bare_url().search(piece, 0, before) is not None
    for found in _url(f"{_SCHEME}?" if bare else _SCHEME).finditer(piece):
        if found["scheme"] is None:
            continue
        url = found["url"]
        short = _tco().match(url)
        if short is not None:  # whatever follows the slug of a t.co link is not part of it
            if len(short[1]) > LONGEST_TCO_SLUG:
                continue
            url = short.group()
        if _is_link(url, found["domain"]):
            start = found.start("url")
            links.append((start, start + len(url)))
    return tuple(links)


def _is_link(url: str, domain: str) -> bool:
    """Whether the URL is short enough, its domain in ASCII (IDNA 2003, assigned code points only)."""
    if len(url) > LONGEST_URL:
        return False
    extra = 0
    for label in domain.split("."):
        if label.isascii() and len(label) < 64:  # noqa: PLR2004 - RFC 1035
            continue
        try:
            extra += len(encodings.idna.ToASCII(label)) - len(label)
        except UnicodeError:
            return False
        if any(map(stringprep.in_table_a1, label)):
            return False
    return len(url) + max(extra, 0) <= LONGEST_URL


_WORD = r"\p{Alphabetic}\p{M}\p{Nd}\p{Pc}"
_MENTION = regex.compile(
    rf"(?<![=/{_WORD}])@((?:(?i:[a-z0-9_]+(?:[.-]+[a-z0-9_]+)*)))(?:@([{_WORD}]+(?:[.-]+[{_WORD}]+)*))?"
)
# After these a mention is none: "@noël@host" is not a mention of "@no".
_NO_MENTION = re.compile(
    r"[@＠\u00C0-\u00D6\u00D8-\u00F6\u00F8-\u024F\u0253\u0254\u0256\u0257\u0259\u025B\u0263\u0268\u026F"
    r"\u0272\u0289\u028B\u02BB\u0300-\u036F\u1E00-\u1EFF]|://"
)


def _mentions(text: str) -> Iterator[tuple[int, int, str]]:
    """Where the mentions are, and what they count as."""
    for found in _MENTION.finditer(text):
        host = found[2]
        if _NO_MENTION.match(text, found.end()) or (host is not None and len(host) > LONGEST_DOMAIN):
            continue
        yield found.start(), found.end(), f"@{found[1]}"

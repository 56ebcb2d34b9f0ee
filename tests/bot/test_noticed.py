"""What the parser noticed, in words."""

from threadcast.bot.noticed import noticed
from threadcast.queue.text.parse import parse
from threadcast.queue.text.thread import Notice, NoticeKind, Severity


def test_notices_tell_a_person_where_to_look() -> None:
    """Each message names the numbers and lines that it is about."""
    text = "Hello\n1/9 a\n3/9 b\n3/9\n6/9 d\n2/9 e"
    (thread,) = parse(text)
    assert [noticed(notice) for notice in thread.notices] == [
        "the text before 1/9 (line 2) is kept, and not posted",
        "number 2 is missing between 1/9 (line 2) and 3/9 (line 3)",
        "3/9 (line 4) has the number of the part before it (line 3)",
        "3/9 (line 4) has no text",
        "numbers 4 to 5 are missing between 3/9 (line 4) and 6/9 (line 5)",
        "2/9 (line 6) stands after 6/9 (line 5)",
        "the markers announce 9 parts; the last one is 2/9 (line 6)",
        "no end mark (/end, END, /fin, 🔚 or N/N) in the last part",
    ]
    assert [notice.severity for notice in thread.notices] == [Severity.WARNING] * 7 + [Severity.INFO]


def test_messages_fit_one_thing_and_the_beginning() -> None:
    """A total of 1 is one part; what is missing at the beginning has nothing before it."""
    assert [noticed(notice) for notice in parse("1/1 a\n2/1 b")[0].warnings] == [
        "the markers announce 1 part; the last one is 2/1 (line 2)"
    ]
    assert [noticed(notice) for notice in parse("🧵  2/ a\n3/ b /end")[0].warnings] == [
        "number 1 is missing before 🧵 2/ (line 1)"
    ]
    assert [noticed(notice) for notice in parse("a 1/\nb 2/\nc")[0].warnings] == [
        "the text after the last marker, 2/ (line 2), follows as a part without number"
    ]


def test_entities_are_told_with_what_they_may_mean() -> None:
    """HTML entities are named as they stand, with the text as it would read."""
    (thread,) = parse("1/ a &amp; b\n2/ c &#39; /end")
    assert [noticed(notice) for notice in thread.notices] == [
        "&amp; and &#39; will be posted as written; “a & b” may be meant"
    ]


def test_what_an_earlier_version_stored_is_told_by_its_kind() -> None:
    """A notice without details, as they were stored once, is no error."""
    assert noticed(Notice(Severity.WARNING, NoticeKind.STEP_BACK, 3, 2)) == "step back"

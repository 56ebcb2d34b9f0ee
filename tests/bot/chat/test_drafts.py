"""What was pasted in several messages is the thread that was meant."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.bot.chat.samples import NOW
from tests.queue.store.fresh import fresh_notes
from tests.servers.telegram.chats import clean
from tests.servers.telegram.people import _in_parts as as_clients_cut
from threadcast.bot.chat.access import Role, Sender
from threadcast.bot.chat.drafts import REMEMBERED, Heard, Source, Sources, is_whole, listen
from threadcast.bot.requests.drafting.drafts import Draft, Drafts, draft_key, join, mark
from threadcast.queue.text.parse import parse
from threadcast.queue.text.thread import Thread

WORDS = st.text("abcdefghij", min_size=1, max_size=12)
PARAGRAPHS = st.lists(WORDS, min_size=1, max_size=40).map(" ".join)
LONG = st.tuples(PARAGRAPHS, st.integers(1, 60)).map(lambda pair: " ".join([pair[0]] * pair[1]))
ENDLESS = PARAGRAPHS.map(lambda words: " ".join([words] * (9000 // len(words) + 1)))
PARTS = st.lists(PARAGRAPHS | LONG, min_size=1, max_size=4)


def meant(thread: Thread) -> tuple[str, list[tuple[int | None, str]]]:
    return thread.fingerprint, [(part.number, " ".join(part.text.split())) for part in thread.parts]


@settings(deadline=None, max_examples=30)
@given(st.lists(PARTS, min_size=1, max_size=12))
def test_a_paste_that_a_client_cut_is_whole_again(parts: list[list[str]]) -> None:
    """A long thread, cut by a client and cleaned by Telegram, is joined to the same parts and words."""
    text = "\n\n".join(f"{number}/ " + "\n".join(each) for number, each in enumerate(parts, 1)) + " /end"

    pieces = [clean(piece) for piece in as_clients_cut(text)]

    assert list(map(meant, parse(join(pieces)))) == list(map(meant, parse(text)))


@settings(deadline=None, max_examples=30)
@given(st.lists(PARAGRAPHS | ENDLESS, min_size=1, max_size=12))
def test_lines_stay_lines(lines: list[str]) -> None:
    """Where a client cut at a line's end, there is a line's end again; where it cut in a line, a blank."""
    text = "1/ " + "\n".join(lines)
    joined = join([clean(piece) for piece in as_clients_cut(text)])
    assert joined.split() == text.split()
    assert len(joined.split("\n")) <= len(text.split("\n"))


@pytest.mark.parametrize(
    ("pieces", "text"),
    [
        ([], ""),
        (["1/ a"], "1/ a"),
        (["1/ a", "2/ b"], "1/ a\n2/ b"),
        (["1/ a", "and more of it", "2/ b"], "1/ a\nand more of it\n2/ b"),
        (["a"], "a"),
        (["a", "b", "c"], "a\n---\nb\n---\nc"),
        (["1/ " + "x" * 4090, "y", "2/ b"], "1/ " + "x" * 4090 + " y\n2/ b"),
        (["1/ " + "x" * 4090, "2/ b"], "1/ " + "x" * 4090 + "\n2/ b"),
        (["1/ a", "2/ " + "x" * 4090, "3/ b"], "1/ a\n2/ " + "x" * 4090 + "\n3/ b"),
        (["1/ a\n2/ " + "x" * 4090, "30 b"], "1/ a\n2/ " + "x" * 4090 + " 30 b"),
        (["1/ " + "x" * 4000 + "\n" + "x" * 90, "y"], "1/ " + "x" * 4000 + "\n" + "x" * 90 + "\ny"),
        (["x" * 4090, "y", "b"], "x" * 4090 + " y\n---\nb"),
    ],
)
def test_join(pieces: list[str], text: str) -> None:
    """Messages are lines of one text; without any number, a part each."""
    assert join(pieces) == text


@given(st.lists(st.text("abc ", min_size=1, max_size=30).filter(str.strip), min_size=1, max_size=6))
def test_messages_without_numbers_are_parts(pieces: list[str]) -> None:
    """Several messages without any number are a part each."""
    (thread,) = parse(join(pieces))
    assert [" ".join(part.text.split()) for part in thread.parts] == [
        " ".join(each.split()) for each in pieces
    ]


class TestDrafts:
    def setup_method(self) -> None:
        self.notes = fresh_notes()
        self.drafts = Drafts(self.notes, lambda: NOW)
        self.ada = Sender(1111, 1111, Role.OWNER)

    def test_none(self) -> None:
        """Where nothing was begun there is no draft, and none can be dropped."""
        assert self.drafts.of(self.ada) is None
        self.drafts.drop(self.ada)
        assert self.drafts.of(self.ada) is None

    def test_gone_before_it_was_shown(self) -> None:
        """A message that comes to tell of a draft after it was dropped does not begin one."""
        self.drafts.put(self.ada, 11, "1/ a")
        self.drafts.drop(self.ada)
        assert not self.drafts.show(self.ada, 13)
        assert self.drafts.of(self.ada) is None

    def test_opened(self) -> None:
        """A draft that was opened is empty, and meant for its channels."""
        self.drafts.open(self.ada, ["news", "masto"])
        assert self.drafts.of(self.ada) == Draft({}, ("news", "masto"), None)

    def test_messages_in_their_order(self) -> None:
        """Messages stand in the order in which they were sent, each as it was edited last."""
        self.drafts.put(self.ada, 12, "2/ b")
        self.drafts.put(self.ada, 11, "1/ x")
        self.drafts.put(self.ada, 11, "1/ a")
        assert self.drafts.show(self.ada, 13)
        draft = self.drafts.of(self.ada)
        assert draft == Draft({11: "1/ a", 12: "2/ b"}, (), 13)
        assert draft.text == "1/ a\n2/ b"
        assert self.drafts.has(self.ada, 11)
        assert not self.drafts.has(self.ada, 13)

    def test_each_their_own(self) -> None:
        """Another person, and the same one in another chat, have drafts of their own; a restart keeps all."""
        self.drafts.put(self.ada, 11, "1/ a")
        assert self.drafts.of(Sender(2222, 1111, Role.OWNER)) is None
        assert self.drafts.of(Sender(1111, -5, Role.OWNER)) is None
        assert Drafts(self.notes, lambda: NOW).of(self.ada) == Draft({11: "1/ a"}, (), None)
        self.drafts.drop(self.ada)
        assert self.drafts.of(self.ada) is None

    def test_written_on_the_page(self) -> None:
        """A text written on the page takes the place of the messages; those that follow stand behind it."""
        self.drafts.put(self.ada, 11, "1/ a")
        assert self.drafts.show(self.ada, 13)
        seen = mark(self.drafts.of(self.ada))
        assert self.drafts.write(self.ada, "1/ a b", ["news"], seen=seen)
        assert not self.drafts.write(self.ada, "1/ c", [], seen=seen)
        self.drafts.put(self.ada, 14, "2/ b")
        draft = self.drafts.of(self.ada)
        assert draft == Draft({14: "2/ b"}, ("news",), 13, written="1/ a b")
        assert draft.text == "1/ a b\n2/ b"
        assert self.drafts.write(self.ada, " ", [], seen=mark(draft))
        assert self.drafts.of(self.ada) is None

    def test_nothing_written(self) -> None:
        """A draft that was opened in the chat stays open where the page is looked at and left empty."""
        self.drafts.open(self.ada, ["news"])
        assert self.drafts.write(self.ada, "", [], seen=mark(self.drafts.of(self.ada)))
        assert self.drafts.of(self.ada) == Draft({}, ("news",), None)

    def test_where_a_draft_is(self) -> None:
        """Somebody has one draft on the page and in their own chat with the bot; a machine's user has one."""
        assert draft_key("telegram:1111") == self.ada.draft_key
        assert draft_key("shell:ada") == "shell:ada"


class TestSources:
    """Which message was pasted for which threads."""

    def setup_method(self) -> None:
        self.sources = Sources(fresh_notes(), lambda: NOW)

    def test_each_message_knows_its_threads(self) -> None:
        """With the other messages of its draft, as they were edited last; nothing else does."""
        messages = {11: "1/ a", 13: "2/ b"}
        self.sources.note(1111, messages, [7, 0])
        for number in messages:
            assert self.sources.of(1111, number) == Source(messages, (7, 0))
        assert self.sources.of(1111, 12) is None
        assert self.sources.of(-5, 11) is None
        self.sources.put(1111, Source(messages, (7, 0)), 13, "2/ c")
        assert self.sources.of(1111, 11) == Source({11: "1/ a", 13: "2/ c"}, (7, 0))

    def test_a_newer_message_takes_the_place_of_an_old_one(self) -> None:
        """What is remembered of a chat does not grow."""
        self.sources.note(1111, {11: "1/ a"}, [7])
        self.sources.note(1111, {11 + REMEMBERED: "1/ b"}, [8])
        assert self.sources.of(1111, 11) is None
        assert self.sources.of(1111, 11 + REMEMBERED) == Source({11 + REMEMBERED: "1/ b"}, (8,))


@pytest.mark.parametrize(
    ("before", "text", "heard"),
    [
        ((), "Thank you 🙏", Heard.TALK),
        ((), "How do I publish this?", Heard.TALK),
        ((), "The river has been rising.", Heard.PERHAPS),
        ((), "1/ The river rises.", Heard.PIECE),
        ((), "First.\n---\nSecond.", Heard.PIECE),
        ((), "word " * 200, Heard.PIECE),
        (("The river has been rising.",), "ok", Heard.PIECE),
        (("The river has been rising.",), "END", Heard.END),
        (("1/ The river rises.",), "END", Heard.PIECE),
        ((), "END", Heard.TALK),
    ],
)
def test_what_is_heard(before: tuple[str, ...], text: str, heard: Heard) -> None:
    """A message is a piece of a thread, one perhaps, the end of what was pasted, or talk."""
    assert (
        listen(text, Draft(dict(enumerate(before)), (), None) if before else None, forwarded=False) is heard
    )


def test_what_was_asked_about() -> None:
    """What somebody was asked about is no thread yet: talk behind it stays talk, and numbers answer it."""
    asked = Draft({1: "The river has been rising."}, (), None, in_doubt=True)
    assert listen("ok", asked, forwarded=False) is Heard.TALK
    assert listen("It went on rising for days.", asked, forwarded=False) is Heard.PERHAPS
    assert listen("It went on rising.", asked, forwarded=True) is Heard.PIECE
    assert listen("1/ The river rises.", asked, forwarded=False) is Heard.PIECE


@pytest.mark.parametrize(
    ("pieces", "whole"),
    [
        ((), False),
        (("1/ a",), False),
        (("1/ a", "2/ b /end"), True),
        (("1/ a", "2/ b", "/end"), True),
        (("1/2 a", "2/2 b"), True),
        (("1/2 a",), False),
        (("a", "b END"), False),
        (("1/ a /end", "1/ b"), False),
    ],
)
def test_where_it_ends(pieces: tuple[str, ...], whole: bool) -> None:
    """A thread with numbers ends with its end mark; one without says so in a message of its own."""
    assert is_whole(Draft(dict(enumerate(pieces)), (), None)) is whole

"""Conversations as a person reads them, played against the real service.

A transcript is a text file. Its first lines say what it proves (`# …`) and which variables are set
(`with NAME=value`, without THREADCAST_). Then come steps; what is indented belongs to the step above it
(`<U+202E>` in what people write is that character):

    Ada: /start                         she writes in her private chat with the bot
    Ada sends rivers.txt:               a file with this text (`sends rivers.txt (news):` with a caption,
                                        `sends rivers.txt to #1:` as a reply)
    Ada presses [Hold]                  the newest button of this label
    Ada presses [Hold] below rivers.txt: 1 thread     … of the messages that begin like this
    Ada replies: tomorrow 9:00          to the newest message of the bot that asks
    Ada replies to #1: hold             to its newest message that begins like this
    Ada edits: …                        what she wrote last; `Ada edits 2: …` the one before that
    Ada forwards post 1 of @my_channel
    Ada opens the link                  the newest one that `threadcast pair` printed
    Bot:                                a new message of the bot, with its buttons in [brackets]
    Bot changes:                        one of its messages is like this now
    Bot toasts: …                       what the press was answered with
    Bot deletes: …                      a message is gone that began like this
    Bot reacts 👀 to rivers.txt          to a file of this name, or a text that begins like this
    Bot pins: …                         its message that begins like this is the newest that is pinned
    Ada pins: …                         a message of the bot that begins like this
    Bot keeps silent to Eve             all that was said is dealt with, and nothing was answered
    * news refuses the next post: …     what happens behind the scenes: see `Stage`

`in the group` behind a name (`Ada in the group: /queue`, `Bot in the group:`) means the group. What the
bot says may come in any order where it says several things at once; at the end it has said nothing else.
What replies to another message begins with `(replies to …)` and the first line of that.
A line `…` in what the bot says stands for any number of lines.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.bot.chat.stage import Stage
from tests.bot.chat.stand import Stand
from tests.bot.languages.marks import english, in_language
from tests.servers.http import PATIENCE
from tests.servers.telegram.chats import Chat, Message
from tests.servers.telegram.people import Person
from tests.servers.telegram.state import Press
from threadcast.bot.chat.views.message import TOAST

STEP = re.compile(
    r"(?P<who>Bot|Ada|Bob|Eddie|Eve)(?P<group> in the group)?"
    r"(?:(?P<said>:)| (?P<verb>[a-z]+)(?: (?P<what>\[.+\](?: below .+)?|[^:\n]*))?(?::(?P<colon>.*))?$)",
)

ANY = "…"  # line: any number of lines
LABEL = re.compile(r"\[(.+?)\](?= \[|$)", re.MULTILINE)


@dataclass(frozen=True)
class Step:
    """One step: `line` is as it stands in the file, `block` what is indented under it."""

    number: int
    line: str
    block: str


@dataclass(frozen=True)
class Transcript:
    """A file read. `given` are variables."""

    proves: str
    given: dict[str, str]
    steps: tuple[Step, ...]
    bare: bool = False


def read(path: Path) -> Transcript:
    """Read a transcript. Raises ValueError where it says nothing that it proves."""
    proves: list[str] = []
    given: dict[str, str] = {}
    steps: list[Step] = []
    bare = False
    lines = path.read_text(encoding="utf-8").split("\n")
    at = 0
    while at < len(lines):
        line = lines[at]
        at += 1
        if line.startswith("#") and not steps:
            proves.append(line.removeprefix("#").strip())
        elif line == "without channels":
            bare = True
        elif line.startswith("with "):
            name, _, value = line.removeprefix("with ").partition("=")
            given[name] = value
        elif line.strip():
            first = at
            while at < len(lines) and (lines[at].startswith("    ") or not lines[at].strip()):
                at += 1
            block = "\n".join(each.removeprefix("    ") for each in lines[first:at]).strip("\n")
            steps.append(Step(first, line.strip(), block))
    if not proves:
        raise ValueError(f"{path.name} does not say what it proves")
    return Transcript(" ".join(proves), given, tuple(steps), bare)


def spoken(transcript: Transcript, played: Sequence[Step], language: str) -> Transcript:
    """A transcript as it goes in another language, by its steps as they were played with marks."""
    steps = tuple(_spoken(step, one, language) for step, one in zip(transcript.steps, played, strict=True))
    return replace(transcript, given={"LANGUAGE": language, **transcript.given}, steps=steps)


def _spoken(step: Step, played: Step, language: str) -> Step:
    if played.block == step.block:
        return replace(step, line=in_language(played.line, language))
    lines, said = _lines(english(played.block)), _lines(in_language(played.block, language))
    assert len(lines) == len(said), said
    head, _colon, text = step.line.partition(":")
    block: list[str] = []
    place = 0
    for line in _lines(step.block or text.strip()):
        if ANY not in block[-1:]:
            assert line == ANY or lines[place].startswith(line), line
        elif line != ANY:
            place = lines.index(line, place)
        block.append(line if line == ANY else said[place])
        place += line != ANY
    return replace(step, line=f"{head}:", block="\n".join(block))


def shown(message: Message) -> str:
    """A message as a transcript has it: its file, its text, its buttons."""
    return english(as_said(message))


def as_said(message: Message) -> str:
    """The same with the marks that tell its sentences."""
    lines = [message.text] if message.text else []
    parent = message.chat.messages.get(message.reply_to or 0)
    if parent is not None:
        lines.insert(0, f"(replies to {(parent.text or _kind(parent)).splitlines()[0]})")
    if message.document is not None:
        lines.insert(0, f"({message.document['file_name']})")
    elif kind := _kind(message):
        hidden = "hidden " if "has_media_spoiler" in message.extra else ""
        album = " of an album" if "media_group_id" in message.extra else ""
        lines.insert(0, f"({hidden}{kind}{album})")
    rows = message.extra.get("reply_markup", {}).get("inline_keyboard", [])
    lines += [" ".join(f"[{button['text']}]" for button in row) for row in rows]
    if (message.keyboard or {}).get("force_reply"):
        lines.append("(asks)")
    return "\n".join(lines)


def _kind(message: Message) -> str:
    """What kind of file a message shows."""
    return next(
        (one for one in ("photo", "video", "animation", "audio", "voice") if one in message.extra), ""
    )


def does(message: Message) -> list[list[str]]:
    """What its buttons do, row by row."""
    rows = message.extra.get("reply_markup", {}).get("inline_keyboard", [])
    return [[button.get("callback_data") or button.get("url", "") for button in row] for row in rows]


def fits(said: str, expected: str) -> bool:
    """Whether a message is as a transcript has it. Blank lines do not count; `…` is any number of lines."""
    pattern = "".join(r"(?:.*\n)*?" if line == ANY else re.escape(line) + r"\n" for line in _lines(expected))
    return re.fullmatch(pattern, "".join(f"{line}\n" for line in _lines(said))) is not None


def _characters(text: str) -> str:
    return re.sub(r"<U\+([0-9A-F]{4,6})>", lambda found: chr(int(found[1], 16)), text)


def _lines(text: str) -> list[str]:
    return [line.rstrip() for line in text.split("\n") if line.strip()]


@dataclass
class Player:
    """Plays a transcript on a stand."""

    stand: Stand
    claimed: dict[tuple[int, int], str] = field(default_factory=dict)
    marked: dict[tuple[int, int], str] = field(default_factory=dict)
    expected: dict[tuple[int, int], str] = field(default_factory=dict)
    pressed: Press | None = None
    written: dict[str, list[Message]] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)  # with marks
    buttons: list[list[list[str]]] = field(default_factory=list)  # what those of each message do
    played: list[Step] = field(default_factory=list)  # with marks: see `in_language`
    block: str = ""  # what the bot said in this step, with marks
    line: str = ""  # the step, where a person names what the bot said

    def play(self, transcript: Transcript) -> None:
        stage = Stage(self.stand)
        for step in transcript.steps:
            self.block, self.line = step.block, step.line
            try:
                if step.line.startswith("*"):
                    stage.do(step.line.removeprefix("*").strip())
                else:
                    self._step(step)
            except (AssertionError, LookupError, TimeoutError, ValueError) as error:
                told = f"line {step.number}: {step.line}\n{step.block}\n{error}"
                raise AssertionError(f"{told}\n\n{self.heard()}") from error
            self.played.append(replace(step, line=self.line, block=self.block))
        self.stand.wait_until_heard()
        self.stand.stop()  # with all that it has still to say
        assert not self._untold(), f"the bot said more:\n{self.heard()}"

    def _step(self, step: Step) -> None:
        match = STEP.match(step.line)
        assert match is not None, "no step that is known"
        chat = stage_group(self.stand) if match["group"] else None
        if match["who"] == "Bot":
            self._bot(match, step, chat)
            return
        person = self.stand.people[match["who"]]
        rest = step.line[match.end() :].strip() if match["said"] else (match["colon"] or "").strip()
        text = _characters(step.block or rest)
        self._person(person, match["verb"] or "says", _characters(match["what"] or "").strip(), text, chat)

    def _person(self, person: Person, verb: str, what: str, text: str, chat: Chat | None) -> None:
        name = person.user.first_name
        match verb:
            case "says":
                self.written.setdefault(name, []).append(person.says(text, chat))
            case "sends":
                self._sends(person, what, text, chat)
            case "presses":
                label, _, beginning = what.removeprefix("[").partition("] below ")
                self.pressed = self._press(person, label.removesuffix("]"), beginning, chat)
            case "replies":
                person.says(
                    text, chat, reply_to=self._question(chat or person.chat, what.removeprefix("to "))
                )
            case "edits":
                place = int(what or 1)
                person.edits(self.written[name][-place], text)
            case "forwards":
                number = re.fullmatch(r"post (\d+) of @my_channel", what)
                assert number is not None, "forwards what?"
                person.forwards(self.stand.channel.messages[int(number[1])], chat)
            case "starts":
                person.starts()
            case "pins":
                message = self._question(chat or person.chat, text)
                self.block = as_said(message)
                person.pins(message)
            case "opens":
                assert what == "the link", "opens what?"
                person.starts(self.stand.code)
            case _:
                raise AssertionError(f"nobody can do this: {verb}")

    def _sends(self, person: Person, what: str, text: str, chat: Chat | None) -> None:
        what, _, beginning = what.partition(" to ")
        file, _, caption = what.partition(" (")
        parent = self._question(chat or person.chat, beginning) if beginning else None
        data = text.encode() if text else b""
        self.written.setdefault(person.user.first_name, []).append(
            person.sends(file, data, caption.rstrip(")"), chat, reply_to=parent)
        )

    def _press(self, person: Person, label: str, beginning: str, chat: Chat | None) -> Press:
        said = self._as_said(label, chat or person.chat)
        self.line = self.line.replace(f"[{label}]", f"[{said}]", 1)
        label = said
        if not beginning:
            return person.presses(label, chat=chat)
        found = [
            one
            for one in self._of_bot(chat or person.chat)
            if shown(one).startswith(beginning) and f"[{label}]" in as_said(one)
        ]
        assert found, f"no message begins like this and has a button {label}"
        self.line = self.line.removesuffix(beginning) + as_said(found[-1]).split("\n")[0]
        return person.presses(label, found[-1])

    def _as_said(self, label: str, chat: Chat) -> str:
        """The label of a button in the language in which the bot speaks here."""
        found = (LABEL.findall(as_said(one)) for one in self._of_bot(chat))
        return next((each for every in found for each in every if english(each) == label), label)

    def _question(self, chat: Chat, beginning: str) -> Message:
        asking = [
            one
            for one in self._of_bot(chat)
            if (shown(one).startswith(beginning) if beginning else "(asks)" in shown(one))
        ]
        assert asking, "the bot asks nothing"
        return asking[-1]

    def _bot(self, match: "re.Match[str]", step: Step, chat: Chat | None) -> None:
        verb, what = match["verb"], (match["what"] or "").strip()
        text = step.block or (match["colon"] or "").strip() or step.line[match.end() :].strip()
        match verb:
            case None:
                self._await(lambda: self._claim(text, chat))
            case "changes":
                self._await(lambda: self._changed(text))
            case "toasts":
                assert self.pressed is not None, "nothing was pressed"
                self.block = self.stand.people["Ada"].answer_to(self.pressed).text or ""
                self.said.append(self.block)
                assert english(self.block) in {text, f"{text[: TOAST - 1]}…"}, f"it toasts {self.block!r}"
            case "deletes":
                self._await(lambda: self._deleted(text))
            case "reacts":
                emoji, _, beginning = what.partition(" to ")
                self._await(lambda: self._reacted(emoji, beginning))
            case "pins":
                self._await(lambda: self._pinned(text))
            case "keeps":
                self.stand.wait_until_heard()
                person = self.stand.people[what.rpartition(" ")[2]]
                assert not list(self._of_bot(person.chat)), "it said something"
                answers = [one.answer for one in self.pressed_by(person)]
                assert not any(answers), f"it answered a press: {answers}"
            case _:
                raise AssertionError(f"the bot cannot do this: {verb}")

    def _await(self, done: Callable[[], bool]) -> None:
        self.stand.server.wait_for(lambda _: done(), PATIENCE)

    def _of_bot(self, chat: Chat) -> Iterator[Message]:
        yield from (one for one in list(chat.messages.values()) if one.sender is self.stand.bot)

    def _chats(self) -> list[Chat]:
        return [*(person.chat for person in self.stand.people.values()), *self.stand.groups]

    def unclaimed(self, chat: Chat | None = None) -> Iterator[Message]:
        """What the bot said and no step of the transcript told of yet."""
        for place in [chat] if chat else self._chats():
            for message in self._of_bot(place):
                if self.claimed.get((place.id, message.id)) is None:
                    yield message

    def pressed_by(self, person: Person) -> list[Press]:
        """Every press of somebody's."""
        with self.stand.server.changed:
            return [one for one in self.stand.server.api.presses.values() if one.sender is person.user]

    def _untold(self) -> list[str]:
        """What was said, changed or deleted at last, and stands in no step of the transcript."""
        there = {(chat.id, one.id): shown(one) for chat in self._chats() for one in self._of_bot(chat)}
        gone = [said for key, said in self.claimed.items() if key not in there]
        return [*gone, *(said for key, said in there.items() if not self._is_told(key, said))]

    def _is_told(self, key: tuple[int, int], said: str) -> bool:
        return key in self.expected and fits(said, self.expected[key])

    def _claim(self, text: str, chat: Chat | None) -> bool:
        for message in self.unclaimed(chat):
            if fits(shown(message), text):
                self._note(message, text)
                return True
        return False

    def _note(self, message: Message, text: str) -> None:
        self.block = as_said(message)
        self.said.append(self.block)
        if ANY not in _lines(text):  # else it may stand otherwise each time
            self.buttons.append(does(message))
        self.claimed[message.chat.id, message.id] = shown(message)
        self.marked[message.chat.id, message.id] = self.block
        self.expected[message.chat.id, message.id] = text

    def _changed(self, text: str) -> bool:
        for place in self._chats():
            for message in self._of_bot(place):
                before = self.claimed.get((place.id, message.id))
                if before is not None and before != shown(message) and fits(shown(message), text):
                    self._note(message, text)
                    return True
        return False

    def _deleted(self, beginning: str) -> bool:
        there = {(place.id, number) for place in self._chats() for number in place.messages}
        for key, said in list(self.claimed.items()):
            if key not in there and said.startswith(beginning):
                del self.claimed[key]
                self.block = self.marked.pop(key)
                return True
        return False

    def _reacted(self, emoji: str, beginning: str) -> bool:
        sent = (one for place in self._chats() for one in list(place.messages.values()))
        mine = (one for one in sent if shown(one).strip("(").startswith(beginning))
        return any(one.reactions.get(self.stand.bot.id) == emoji for one in mine)

    def _pinned(self, beginning: str) -> bool:
        for place in self._chats():
            there = [place.messages[one] for one in place.pinned if one in place.messages]
            if there and there[-1].sender is self.stand.bot and shown(there[-1]).startswith(beginning):
                self.block = as_said(there[-1])
                return True
        return False

    def heard(self) -> str:
        """What the bot has said so far, for whoever writes a transcript."""
        told: list[str] = []
        for place in self._chats():
            for one in self._of_bot(place):
                new = "" if self._is_told((place.id, one.id), shown(one)) else "(not in the transcript) "
                told.append(f"{new}Bot to {place.title}:")
                told += [f"    {line}" for line in shown(one).split("\n")]
        return "\n".join(told)


def stage_group(stand: Stand) -> Chat:
    assert stand.groups, "there is no group: * there is a group of Ada, Bob"
    return stand.groups[0]


__all__: Sequence[str] = ("Player", "Transcript", "fits", "read", "shown")

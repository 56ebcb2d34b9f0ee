"""What happens behind the scenes of a transcript: networks fail, clocks are set, services stop."""

import io
import re
import shutil
import time
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from tests.bot.chat.stand import Stand
from tests.bot.media.drawn import MP4, jpeg, moving
from tests.servers.telegram.chats import RIGHTS, ChatKind, Json
from tests.servers.telegram.deeds import write
from tests.servers.telegram.people import Role
from threadcast.bot.people import people
from threadcast.bot.people.pairing import offer
from threadcast.config.schedule.words import parse_duration
from threadcast.queue.states import DeliveryState, Event

A_WHILE = 10.0  # seconds: longer than a message rests between two changes
MEGABYTE = 1024 * 1024


class Stage:
    """Stage directions, each a sentence."""

    def __init__(self, stand: Stand) -> None:
        self._stand = stand
        self._held: list[Callable[[], None]] = []
        self._directions: tuple[tuple[str, Callable[..., None]], ...] = (
            (r"(\w+) refuses the next post: (.+)", self.refuse),
            (r"the answer to the next post on (\w+) is lost", self.lose),
            (r"(\w+) answers the next post later", self.hold),
            (r"(\w+) asks to wait for (.+)", self.throttle),
            (r"(\w+) takes no post down: (.+)", self.keep),
            (r"news answers", self.answer),
            (r"(\d+) posts? (?:is|are) on (\w+)", self.posts),
            (r"the posts on (\w+) are those of (.+)", self.are_of),
            (r"post (\d+) of (\w+) is deleted by hand", self.delete),
            (r"#(\d+) is (\w+) on (\w+)", self.wait_for_state),
            (r"#(\d+) waits on (\w+)", self.wait_for_reason),
            (r"post (\d+) of #(\d+) is out on (\w+)", self.wait_for_sent),
            (r"threadcast pair( --editor)? is typed in a shell", self.pair),
            (r"(\w+) is called (.+) from now on", self.rename),
            (r"(\w+) speaks (\w+) from now on", self.speak),
            (r"a while goes by", self.calm),
            (r"(.+) go(?:es)? by", self.advance),
            (r"the service is stopped", self._stand.stop),
            (r"the service is started", self._stand.start),
            (r"(\w+) forbids forwarding", self.protect),
            (r"#(\d+) is removed in a shell", self.remove),
            (r"#(\d+) is held in a shell", self.shell_hold),
            (r"the bot reads all that is said in the group", self.read_all),
            (r"there is a group of ([\w, ]+)", self.group),
            (
                r"(\w+) adds the bot to (@\w+|a (?:channel|group) called .+?)(, where it may not post)?",
                self.adds,
            ),
            (r"Ada makes the bot an administrator of the group", self.empower),
            (r"Ada takes the bot's rights on news away", self.demote),
            (r"Ada gives the bot its rights on news back", self.promote),
            (r"Ada sends ([\w.]+), a file of (\d+) MB", self.sends_large),
            (r"Ada sends ([\w.]+), which is no text", self.sends_bytes),
            (
                r"Ada sends (a|another|a broken) photo(?: to (#\d+|what asks))?(?: \((.+)\))?",
                self.sends_photo,
            ),
            (r"Ada puts another photo in (\d+)", self.puts_photo),
            (r"post (\d+) of (\w+) is edited by hand: (.+)", self.edit_by_hand),
            (r"Ada sends an archive with (.+)", self.sends_archive),
            (r"Telegram takes no photo in Ada's chat", self.takes_no_photo),
            (r"the files of threads are lost", self.lose_files),
            (r"Ada sends a sticker", self.sends_sticker),
            (r"Ada posts on (\w+) by hand: (.+)", self.posts_by_hand),
        )

    def do(self, direction: str) -> None:
        """Do what a direction says."""
        for pattern, deed in self._directions:
            match = re.fullmatch(pattern, direction)
            if match is not None:
                deed(*match.groups())
                return
        raise AssertionError(f"no direction that is known: {direction}")

    def speak(self, name: str, language: str) -> None:
        self._stand.people[name].user.language_code = language

    # What networks do

    def refuse(self, channel: str, description: str) -> None:
        self._stand.server.fail(400, f"Bad Request: {description}", chat=self._stand.chat_of(channel))

    def lose(self, channel: str) -> None:
        self._stand.server.lose_answer(chat=self._stand.chat_of(channel))

    def hold(self, channel: str) -> None:
        self._held.append(self._stand.server.hold_answer(chat=self._stand.chat_of(channel)).set)

    def throttle(self, channel: str, span: str) -> None:
        seconds = int(parse_duration(span).total_seconds())
        self._stand.server.throttle(seconds, chat=self._stand.chat_of(channel))

    def keep(self, channel: str, description: str) -> None:
        chat = self._stand.chat_of(channel)
        self._stand.server.fail(400, f"Bad Request: {description}", method="deleteMessages", chat=chat)
        self._stand.server.fail(400, f"Bad Request: {description}", method="deleteMessage", chat=chat)

    def answer(self) -> None:
        for release in self._held:
            release()
        self._held.clear()

    def posts(self, count: str, channel: str) -> None:
        chat = self._stand.chat_of(channel)
        self._stand.server.wait_for(lambda _: len(chat.messages) >= int(count))

    def are_of(self, channel: str, titles: str) -> None:
        """The first posts of these threads are out in this order."""
        texts = [one.text for one in self._stand.chat_of(channel).messages.values()]
        firsts = [text.removeprefix("1/ ") for text in texts if text.startswith("1/ ")]
        assert firsts == titles.split(", "), firsts

    def delete(self, number: str, channel: str) -> None:
        with self._stand.server.changed:
            del self._stand.chat_of(channel).messages[int(number)]

    def protect(self, channel: str) -> None:
        self._stand.chat_of(channel).protected = True

    # Clocks, and what somebody does in a shell

    def wait_for_state(self, number: str, state: str, channel: str) -> None:
        """Wait until a thread's delivery stands so."""
        self._stand.wait_for_state(int(number), channel, DeliveryState(state))

    def wait_for_sent(self, post: str, number: str, channel: str) -> None:
        """Wait until the service knows that a post is out."""
        self._stand.wait_until(int(number), channel, lambda one: one.sent >= int(post))

    def wait_for_reason(self, number: str, channel: str) -> None:
        """Wait until a thread's delivery has met something that it has to wait for."""
        self._stand.wait_until(int(number), channel, lambda one: bool(one.reason))

    def calm(self) -> None:
        """Messages may be changed again; more than once, for what happened may not be noticed yet."""
        timer = self._stand.timer
        assert timer is not None, "the reports of this stand have a timer of their own"
        for _ in range(5):
            timer.seconds += A_WHILE
            self._stand.wake()
            with self._stand.server.changed:
                self._stand.server.changed.wait(0.1)

    def advance(self, span: str) -> None:
        self._stand.clock.advance(parse_duration(span) if span[0].isdigit() else timedelta(days=1))
        self._stand.wake()

    def remove(self, number: str) -> None:
        self._stand.in_a_shell(lambda requests: requests.threads.remove(int(number)))

    def shell_hold(self, number: str) -> None:
        self._stand.in_a_shell(lambda requests: requests.changes.apply(int(number), Event.HOLD))

    def pair(self, editor: str | None) -> None:
        assert self._stand.database is not None
        role = people.Role.EDITOR if editor else people.Role.OWNER
        self._stand.code = offer(self._stand.database.notes, role, by="shell:ada", now=self._stand.clock())

    def rename(self, who: str, name: str) -> None:
        person = self._stand.people[who]
        person.user = replace(person.user, first_name=name)

    # Chats

    def read_all(self) -> None:
        self._stand.server.api.reads_all.add(self._stand.bot.id)

    def group(self, names: str) -> None:
        people = [self._stand.people[name.strip()] for name in names.split(",")]
        self._stand.found_group(*people)

    def adds(self, who: str, where: str, powerless: str | None) -> None:
        """Somebody adds the bot, or says what it may do where it is already."""
        server, person = self._stand.server, self._stand.people[who]
        username = where[1:] if where.startswith("@") else None
        known = (chat for chat in server.api.chats.values() if username and chat.username == username)
        kind: ChatKind = "supergroup" if where.startswith("a group") else "channel"
        chat = next(known, None) or server.add_chat(kind, username=username, with_bots=False)
        chat.title = username or where.partition(" called ")[2]
        role: Role = "administrator" if kind == "channel" else "member"
        person.adds_bot(chat, role, rights=() if powerless else RIGHTS)

    def empower(self) -> None:
        self._stand.people["Ada"].adds_bot(self._stand.groups[0])

    def demote(self) -> None:
        self._stand.people["Ada"].adds_bot(self._stand.channel, rights=())

    def promote(self) -> None:
        self._stand.people["Ada"].adds_bot(self._stand.channel)

    def sends_large(self, name: str, megabytes: str) -> None:
        self._stand.people["Ada"].sends(name, b"1/ word\n" * (int(megabytes) * MEGABYTE // 8))

    def sends_bytes(self, name: str) -> None:
        self._stand.people["Ada"].sends(name, bytes(range(256)) * 4)

    def posts_by_hand(self, channel: str, text: str) -> None:
        ada, chat = self._stand.people["Ada"], self._stand.chat_of(channel)
        ada.joins(chat, "creator")
        ada.says(text, chat)

    def edit_by_hand(self, number: str, channel: str, text: str) -> None:
        with self._stand.server.changed:
            self._stand.chat_of(channel).messages[int(number)].text = text

    def _photo(self, which: str) -> Json:
        content = {"a": jpeg(), "another": jpeg(90, 90), "a broken": jpeg()[:200]}[which]
        file_id = self._stand.server.api.keep(content)
        known = {"file_id": file_id, "file_unique_id": file_id, "width": 60, "height": 40}
        return known | {"file_size": len(content)}

    def puts_photo(self, number: str) -> None:
        """She edits a message: another photo, the same words."""
        server, message = self._stand.server, self._stand.people["Ada"].chat.messages[int(number)]
        with server.changed:
            message.extra |= {"photo": [self._photo("another")], "edit_date": int(time.time())}
            server.api.publish_message(message, edited=True)
            server.changed.notify_all()

    def sends_photo(self, which: str, parent: str | None, caption: str | None) -> None:
        ada, server = self._stand.people["Ada"], self._stand.server
        of_bot = [one for one in ada.chat.messages.values() if one.sender is self._stand.bot]
        asking = [
            one
            for one in of_bot
            if parent is not None
            and (
                one.text.startswith(parent)
                or (parent == "what asks" and (one.keyboard or {}).get("force_reply"))
            )
        ]
        with server.changed:
            reply_to = asking[-1].id if asking else None
            write(server.api, ada.chat, caption or "", ada.user, {"photo": [self._photo(which)]}, reply_to)
            server.changed.notify_all()

    def sends_archive(self, text: str) -> None:
        r"""A text whose lines stand between `\\`, with the files that it shows."""
        files = {"a.jpg": jpeg(), "b.jpg": jpeg(30, 30), "c.mp4": MP4, "d.gif": moving("GIF")}
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w") as archive:
            archive.writestr("thread.txt", text.replace("\\\\", "\n"))
            for name, data in files.items():
                archive.writestr(name, data)
        self._stand.people["Ada"].sends("thread.zip", content.getvalue())

    def takes_no_photo(self) -> None:
        chat = self._stand.people["Ada"].chat
        self._stand.server.fail(400, "Bad Request: IMAGE_PROCESS_FAILED", method="sendPhoto", chat=chat)

    def lose_files(self) -> None:
        shutil.rmtree(self._stand.settings.data / "media")

    def sends_sticker(self) -> None:
        ada = self._stand.people["Ada"]
        known = {"file_id": "sticker", "file_unique_id": "sticker", "width": 9, "height": 9}
        sticker = known | {"type": "regular", "is_animated": False, "is_video": False}
        self._stand.server.receive(ada.chat, "", ada.user, sticker=sticker)

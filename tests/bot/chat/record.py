"""Write down what the bot says to a conversation: `python -m tests.bot.chat.record transcripts/file.txt`.

Plays what people do in a transcript, and prints the whole with what the bot really says. Read it before
you keep it: a transcript proves what is right, not what happens to be.
"""

import sys
import tempfile
import time
from pathlib import Path

from tests.bot.chat.script import Player, Step, read, shown
from tests.bot.chat.stage import Stage
from tests.bot.chat.stand import SetTimer, standing

QUIET = 0.6  # seconds without a word, after which nothing more is expected


def main(path: Path) -> None:
    """Print the transcript."""
    transcript = read(path)
    head = [f"# {transcript.proves}", *(f"with {name}={value}" for name, value in transcript.given.items())]
    print("\n".join([*head, *(["without channels"] if transcript.bare else []), ""]))
    with (
        tempfile.TemporaryDirectory() as folder,
        standing(Path(folder), transcript.given, bare=transcript.bare, timer=SetTimer()) as stand,
    ):
        player, stage = Player(stand), Stage(stand)
        known: dict[tuple[int, int], str] = {}
        for step in transcript.steps:
            if step.line.startswith("Bot"):
                if step.line.startswith(("Bot keeps", "Bot reacts", "Bot pins")):
                    _print(step)
                continue
            _print(step)
            if step.line.startswith("*"):
                stage.do(step.line.removeprefix("*").strip())
            else:
                player._step(step)
            if stand.is_running:
                stand.wait_until_heard()
            _listen(player, known)
            if (
                player.pressed is not None
                and player.pressed.answer is not None
                and player.pressed.answer.text
            ):
                print(f"Bot toasts: {player.pressed.answer.text}")
            player.pressed = None


def _print(step: Step) -> None:
    print(step.line)
    if step.block:
        print("\n".join(f"    {line}".rstrip() for line in step.block.split("\n")))


def _listen(player: Player, known: dict[tuple[int, int], str]) -> None:
    """Print what is new when nothing more comes for a while, and nothing that was there only in between."""
    now, quiet_since = _there(player), time.monotonic()
    while time.monotonic() - quiet_since < QUIET:
        with player.stand.server.changed:
            player.stand.server.changed.wait(0.1)
            before, now = now, _there(player)
        if before != now:
            quiet_since = time.monotonic()
    for key in [one for one in known if one not in now]:
        print(f"Bot deletes: {known.pop(key).splitlines()[0]}")
    for key, said in now.items():
        if known.get(key) != said:
            where = " in the group" if key[0] < 0 else ""
            print("Bot changes:" if key in known else f"Bot{where}:")
            print("\n".join(f"    {line}".rstrip() for line in said.split("\n")))
            known[key] = said


def _there(player: Player) -> dict[tuple[int, int], str]:
    return {(place.id, one.id): shown(one) for place in player._chats() for one in player._of_bot(place)}


if __name__ == "__main__":
    main(Path(sys.argv[1]))

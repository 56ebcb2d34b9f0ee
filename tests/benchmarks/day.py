"""An owner's day with the bot: a hundred messages, and how long each answer took, at Telegram's real limits.

    python -m tests.benchmarks.day [--rounds 5]

Five rounds of twenty: files, captions, replies, pasted threads, slips, small talk, times, stops. A typed
message is answered when a new message of the bot is there, a press when its button stops turning.
Before it, a newcomer's way from the token to the first chain, with the taps of each step.
"""

import random
import re
import time
from collections.abc import Callable, Iterator
from statistics import median, quantiles

import click

from tests.benchmarks.answers import REST, chatting
from tests.benchmarks.samples import thread
from tests.e2e.house import PATIENCE
from tests.servers.telegram.chats import Message
from tests.servers.telegram.people import Person

Deed = Callable[[], object]
STEPS = 20  # messages of a round
MOST_TAPS = 12  # from the token to the first chain
MOST_SECONDS = 90.0


def messages(owner: Person, round_: int) -> Iterator[tuple[str, Deed]]:
    """What the owner does in a round, each as it reads in the log, and how it is done."""
    first = 3 * round_ + 1  # the numbers of its three threads follow
    pasted, second = first + 1, first + 2

    def says(text: str) -> tuple[str, Deed]:
        return text.replace("\n", " ")[:60], lambda: owner.says(text)

    def sends(name: str, parts: int, caption: str) -> tuple[str, Deed]:
        text = thread(1000 * round_ + parts, parts).encode()
        return f"{name} ({caption})", lambda: owner.sends(name, text, caption)

    def presses(label: str) -> tuple[str, Deed]:
        return f"[{label}]", lambda: owner.answer_to(owner.presses(label))

    yield says("/status")
    yield sends("rivers.txt", 12, "c0")
    yield f"(to #{first}) fri 18:30", lambda: owner.says("fri 18:30", reply_to=_card(owner, first))
    yield says("thanks!")
    yield says("list")
    yield says("/qeue")
    yield says(f"1/ The hill of round {round_} stands.")
    yield says("2/ It stands a little longer. /end")
    yield says(f"hold {pasted}")
    yield says(f"/at {pasted} tomorrow 9:00")
    yield sends("seas.txt", 20, "cc1")
    yield presses("c1")
    yield presses("Publish")
    yield says("How long does that take?")
    yield says("/stop c1")
    yield says(f"stop {second}")
    yield says("Nobody remembers a wetter day than this one.")
    yield presses("No")
    yield says("/history")
    yield says("queue")


def played(rounds: int, rest: tuple[float, float] = REST) -> Iterator[tuple[str, float]]:
    """Each message, and the seconds until its answer."""
    chance = random.Random(1)  # noqa: S311  # the same rests for everybody
    with chatting(2) as (_, owner):
        for round_ in range(rounds):
            for label, deed in messages(owner, round_):
                time.sleep(chance.uniform(*rest))
                known = {one.id for one in _of_bot(owner)}
                begun = time.perf_counter()
                deed()
                if not label.startswith("["):
                    owner.waits_for(lambda _: _is_new(owner, known), timeout=PATIENCE)  # noqa: B023
                yield label, time.perf_counter() - begun


def first_contact() -> Iterator[tuple[str, int, float]]:
    """Each step of a newcomer's, with its taps, and the seconds until the bot asks for the next one."""
    with chatting(0, owned=False) as (house, owner):
        channel = house.telegram.add_chat(username="rivers", with_bots=False)
        link = re.search(r"start=(\S+)", house.command("pair").stdout)
        assert link is not None
        text = thread(1, 3).encode()
        steps: tuple[tuple[str, int, Deed, str], ...] = (
            ("the link of threadcast pair, Start", 2, lambda: owner.starts(link[1]), "no channel yet"),
            ("the bot added to the channel", 5, lambda: owner.adds_bot(channel), "Shall I publish there"),
            ("[Publish here]", 1, lambda: owner.presses("Publish here"), "I publish in rivers now"),
            ("rivers.txt", 1, lambda: owner.sends("rivers.txt", text), "not public before"),
            ("[Publish]", 1, lambda: owner.presses("Publish"), "published 3/3"),
        )
        for label, taps, deed, said in steps:
            begun = time.perf_counter()
            deed()
            owner.waits_for(lambda seen: any(said in one.text for one in seen), timeout=PATIENCE)  # noqa: B023
            yield label, taps, time.perf_counter() - begun


def _of_bot(owner: Person) -> list[Message]:
    return [one for one in owner.messages() if one.sender is not owner.user]


def _is_new(owner: Person, known: set[int]) -> bool:
    return any(one.id not in known for one in _of_bot(owner))


def _card(owner: Person, number: int) -> Message:
    return next(one for one in reversed(_of_bot(owner)) if one.text.startswith(f"#{number} "))


@click.command()
@click.option("--rounds", default=5, help="Of twenty messages each.")
def main(rounds: int) -> None:
    """Print a day's log: what was written, and the milliseconds until its answer."""
    way = list(first_contact())
    for label, taps, seconds in way:
        click.echo(f"{taps:2} taps {seconds * 1000:7.0f} ms  {label}")
    click.echo(
        f"from the token to the first chain: {sum(taps for _, taps, _ in way)} taps (at most {MOST_TAPS}), "
        f"{sum(seconds for *_, seconds in way):.1f} s (at most {MOST_SECONDS:.0f} s)"
    )
    took: list[float] = []
    for number, (label, seconds) in enumerate(played(rounds), start=1):
        took.append(seconds)
        click.echo(f"{number:4} {seconds * 1000:7.0f} ms  {label}")
    p99 = quantiles(took, n=100, method="inclusive")[98]
    click.echo(
        f"median {median(took) * 1000:.0f} ms, p99 {p99 * 1000:.0f} ms, longest {max(took) * 1000:.0f} ms"
    )


if __name__ == "__main__":
    main()

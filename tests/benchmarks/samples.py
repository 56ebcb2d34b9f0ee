"""Text like an archivist's threads, made up: the same for the same arguments."""

import random

_WHO = (
    "The keeper",
    "A clerk of the harbour office",
    "Her brother",
    "The second engineer",
    "An inspector from the mainland",
    "Nobody in the village",
    "The wife of the pilot",
)
_DID = (
    "wrote down",
    "would later deny",
    "had been told",
    "remembered for the rest of his life",
    "could not explain",
    "asked the Board of Lights to believe",
    "swore before a magistrate",
)
_WHAT = (
    "that the lamp went out twice in the same night",
    "how the tender came back without its crew",
    "why the log has no entry for eleven days",
    "what the divers found under the north landing",
    "that a ship’s bell was heard when there was no ship",
    "who had signed for the paraffin – and for how much of it",
    "where the old stair had been walled up",
)
_THEN = (
    "“It was never about the light,” he said.",
    "The report was filed, and forgotten for sixty years.",
    '"We waited for a boat, and then we stopped waiting."',
    "Of the nineteen men on the list, four could be traced.",
    "The winter of 1911 was the worst that anyone could recall.",
    "It is not known what became of the letters.",
)


def part(chance: random.Random) -> str:
    """One part's text: about 250 characters, typographic ones in a third, a line break in some."""
    sentences = [
        f"{chance.choice(_WHO)} {chance.choice(_DID)} {chance.choice(_WHAT)}.",
        chance.choice(_THEN),
        f"{chance.choice(_WHO)} {chance.choice(_DID)} {chance.choice(_WHAT)}.",
    ]
    if chance.random() < 0.3:
        sentences.insert(1, chance.choice(_THEN))
    if chance.random() < 0.05:
        sentences.append("https://lights.example/archive/box-12/folio-7")
    return ("\n" if chance.random() < 0.07 else " ").join(sentences)


def thread(seed: int, size: int) -> str:
    """One thread of `size` numbered parts; two of different seeds differ."""
    chance = random.Random(seed)  # noqa: S311  # the same text for everybody
    parts = [f"{number}/ {part(chance)}" for number in range(1, size + 1)]
    parts[0] = f"1/ The affair of lighthouse {seed}. {part(chance)} ⬇️"
    parts[-1] += " /end"
    return "\n".join(parts) + "\n"


def archive(size: int) -> str:
    """At least `size` bytes of threads directly below one another, of 30 parts and of 3."""
    threads: list[str] = []
    written = 0
    while written < size:
        threads.append(thread(len(threads), 3 if len(threads) % 4 else 30))
        written += len(threads[-1].encode())
    return "".join(threads)

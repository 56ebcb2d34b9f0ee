"""How soon the command answers."""

import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from tests.benchmarks.figures import Figure
from tests.benchmarks.samples import thread
from tests.e2e.house import RUN, House
from tests.servers.mastodon.server import MastodonServer
from tests.servers.telegram.server import TelegramServer

NOTHING = (sys.executable, "-c", "pass")
# Seconds that a command takes. Of Mastodon's server the last one goes by what it said lately.
MOST = {
    "--help": 0.15,
    "queue": 0.4,
    "show 1": 0.4,
    "add other.txt": 0.4,
    "preview 1 -c news": 0.4,
    "preview 1": 0.4,
}


def figures(*, rounds: int = 15) -> Iterator[Figure]:
    """Each command as a process, with a channel on each network, beside Python that does nothing."""
    with (
        tempfile.TemporaryDirectory(prefix="threadcast-bench-") as folder,
        TelegramServer() as telegram,
        MastodonServer() as mastodon,
    ):
        house = House(Path(folder), telegram, mastodon)
        house.command("add", house.write(thread(1, 3)))
        (house.folder / "other.txt").write_text(thread(2, 3), encoding="utf-8")

        def took(*command: str) -> tuple[float, float]:
            begun, computed = time.perf_counter(), _computed()
            subprocess.run(command, check=True, capture_output=True, cwd=folder, env=house.environment())
            return time.perf_counter() - begun, _computed() - computed

        for words, most in MOST.items():
            pairs = [(took(*RUN[:-1], *words.split()), took(*NOTHING)) for _ in range(rounds)]
            ours = median(wall for (wall, _), _ in pairs)
            # Of a busy machine the least of them tells most.
            least, nothing = (min(cpu for _, cpu in found) for found in zip(*pairs, strict=True))
            detail = (
                f"median of {rounds}; computing at least {least:.3f} s, Python doing nothing {nothing:.3f} s"
            )
            yield Figure(f"threadcast {words}", ours, "s", most, detail=detail)


def _computed() -> float:
    """Return the seconds that ended processes have computed."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime

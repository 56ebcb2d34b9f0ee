"""Makes docs/images/chain.png of the newest demo: `make demo`, then python -m tests.pictures.chain

It shows the thread with pictures as readers of both networks see it, who have asked to see what is below the
warning of all posts but the second. Needs Chromium.
"""

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image

from threadcast.bot.channels.local.page import render
from threadcast.bot.channels.local.timeline import Timeline, chains, read_newest

ROOT = Path(__file__).resolve().parents[2]
ASKED = """<style>
.telegram li:not(:nth-child(2)) .text .spoiler, .covered img { filter: none; transform: none; }
.masthead, .footer, .around, .down { display: none !important; } .columns { padding-top: 1.25rem; }
</style></head>"""
WARNED, WARNED_OPEN = '<details class="warned">', '<details class="warned" open>'
COLOURS = 160


def with_pictures(path: Path) -> Timeline:
    """The chain that has files, alone."""
    timeline = read_newest(path)
    if timeline is None:
        sys.exit(f"{path} is no timeline")
    (chain,) = (one for one in chains(timeline.entries) if any(entry.media for entry in one))
    return Timeline("lighthouses", timeline.like, chain)


def main() -> None:
    folder = max((ROOT / ".demo").iterdir())
    page = render([with_pictures(folder / f"{name}.jsonl") for name in ("telegram", "mastodon")])
    posts = page.replace("</head>", ASKED).split(WARNED)
    page = posts[0] + "".join(
        (WARNED if place == 2 else WARNED_OPEN) + post for place, post in enumerate(posts[1:], 1)
    )
    page = page.replace('<details class="alt">', '<details class="alt" open>', 1)
    with TemporaryDirectory() as temporary:
        file, shot = folder / "chain.html", Path(temporary, "chain.png")
        file.write_text(page, encoding="utf-8")
        subprocess.run(
            [
                *(
                    "chromium",
                    "--headless",
                    "--no-sandbox",
                    "--hide-scrollbars",
                    f"--user-data-dir={temporary}",
                ),
                *("--force-device-scale-factor=1.25", "--window-size=1120,1000"),
                *(f"--screenshot={shot}", file.as_uri()),
            ],
            check=True,
        )
        picture = Image.open(shot).convert("RGB").quantize(COLOURS, kmeans=2, dither=Image.Dither.NONE)
        picture.save(ROOT / "docs" / "images" / "chain.png", optimize=True)


if __name__ == "__main__":
    main()

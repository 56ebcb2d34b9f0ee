"""Makes docs/images/chat-*.png, what an owner sees in Telegram: python -m tests.pictures.chat

It shows the beginning of a transcript that the tests play, light and dark. Needs Chromium.
"""

import re
import shutil
from html import escape
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.pictures.page import save

TRANSCRIPT = Path(__file__).parents[1] / "bot/chat/transcripts/publish.txt"
KEY = re.compile(r"\[([^]]+)\] ?")
BUTTON = r"<span>\1</span>"
STYLE = """
:root { color-scheme: light dark; --back: light-dark(#dfe8ee, #0e1621); --bot: light-dark(#fff, #182533);
  --me: light-dark(#e3fbd3, #2b5278); --ink: light-dark(#15181c, #f0f4f8);
  --key: light-dark(#5b7f9bcc, #2b3b4dcc); --far: light-dark(#6a7885, #8a9aab); }
body { margin: 0; padding: 20px; background: var(--back); color: var(--ink);
  font: 15px/1.4 Inter, system-ui, sans-serif; }
main { display: flex; flex-direction: column; gap: 10px; }
.said { max-width: 420px; } .said p { margin: 0; padding: 9px 13px; border-radius: 14px;
  white-space: pre-wrap; background: var(--bot); box-shadow: 0 1px 1px #0002; }
.me { align-self: flex-end; } .me p { background: var(--me); } .me b { display: block; font-weight: 600; }
.keys { display: flex; gap: 4px; margin-top: 4px; } .keys span { flex: 1; padding: 6px; border-radius: 9px;
  text-align: center; color: #fff; background: var(--key); font-size: 14px; }
.deed { align-self: center; color: var(--far); font-size: 13px; }
"""


def bubbles(text: str) -> str:
    """The conversation as HTML: what was sent, what was answered, what was pressed."""
    shown = []
    for turn in re.split(r"\n(?=\S)", text):
        head, _, body = turn.partition("\n")
        lines = [line.removeprefix("    ") for line in body.splitlines()]
        keys = [line for line in lines if re.fullmatch(r"(\[[^]]+\] ?)+", line)]
        words = escape("\n".join(line for line in lines if line not in keys).strip())
        rows = "".join(f"<div class=keys>{KEY.sub(BUTTON, escape(row))}</div>" for row in keys)
        if sent := re.fullmatch(r"Ada sends (\S+):", head):
            shown.append(f"<div class='said me'><p><b>📄 {escape(sent[1])}</b>{words}</p></div>")
        elif head.startswith("Ada presses"):
            shown.append(f"<div class=deed>{escape(head.split(' below')[0])}</div>")
        elif head in {"Bot:", "Bot changes:"}:
            shown.append(f"<div class=said><p>{words}</p>{rows}</div>")
    return "".join(shown)


def main() -> None:
    _, _, played = TRANSCRIPT.read_text(encoding="utf-8").partition("\n\n")
    first = played.split("\nAda sends t2.txt")[0]
    shown = f"<!doctype html><meta charset=utf-8><style>{STYLE}</style><main>{bubbles(first)}</main>"
    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for scheme in ("light", "dark"):
            context = browser.new_context(
                viewport={"width": 640, "height": 100},
                device_scale_factor=1.5,
                color_scheme="dark" if scheme == "dark" else "light",
            )
            page = context.new_page()
            page.set_content(shown)
            save(page.screenshot(full_page=True), f"chat-{scheme}")


if __name__ == "__main__":
    main()

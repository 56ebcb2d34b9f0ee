"""How the documentation is built: `make check` turns every warning into an error."""

import re
import sys
import tomllib
from pathlib import Path

from pygments.lexers.shell import BashSessionLexer
from sphinx.application import Sphinx

project = "Threadcast"
author = "The Threadcast maintainers"
release = tomllib.loads(Path(__file__).parents[1].joinpath("pyproject.toml").read_text())["project"][
    "version"
]
sys.path.insert(0, str(Path(__file__).parents[1]))
extensions = ["myst_parser", "docs.diagrams"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = f"Threadcast {release}"
html_static_path = ["static"]
html_css_files = ["docs.css"]
html_favicon = "../bot/web/static/icon.svg"
html_show_copyright = False
html_theme_options = {"sidebar_hide_name": False, "navigation_with_keys": True}
pygments_style = "friendly"
pygments_dark_style = "github-dark"
myst_enable_extensions = ["attrs_inline"]
myst_heading_anchors = 3
myst_fence_as_directive = ["mermaid"]


class Session(BashSessionLexer):
    """What is typed stands behind a `$`; `#1` is a thread in an answer, and no prompt of root's."""

    _ps1rgx = re.compile(r"^(\$ )(.*\n?)")


def setup(app: Sphinx) -> None:
    """Show sessions so."""
    app.add_lexer("console", Session)

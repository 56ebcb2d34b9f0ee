"""How the documentation is built: `make check` turns every warning into an error."""

import tomllib
from pathlib import Path

project = "Threadcast"
author = "The Threadcast maintainers"
release = tomllib.loads(Path(__file__).parents[1].joinpath("pyproject.toml").read_text())["project"][
    "version"
]
extensions = ["myst_parser"]
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
# The diagrams are Mermaid, which code hosts draw; the built pages show their source.
myst_fence_as_directive: list[str] = []
suppress_warnings = ["misc.highlighting_failure"]

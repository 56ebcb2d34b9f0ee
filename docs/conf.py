"""How the documentation is built: `make check` turns every warning into an error."""

project = "Threadcast"
author = "The Threadcast maintainers"
extensions = ["myst_parser"]
exclude_patterns = ["_build"]
html_theme = "alabaster"
myst_heading_anchors = 3
# The diagrams are Mermaid, which code hosts draw; the built pages show their source.
myst_fence_as_directive: list[str] = []
suppress_warnings = ["misc.highlighting_failure"]

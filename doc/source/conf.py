# SPDX-License-Identifier: Apache-2.0
"""Sphinx configuration. Needs the services installed, and nothing beyond Sphinx itself."""

from __future__ import annotations

import sys
from importlib.metadata import version as installed_version
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "ext"))

from flocx_docs import generate  # noqa: E402 - found through the line above

project = "FLOCX"
author = "FLOCX contributors"
copyright = "FLOCX contributors"
release = version = installed_version("flocx")

extensions = []
exclude_patterns = ["_generated/*.txt"]
nitpicky = True

html_theme = "alabaster"
html_theme_options = {
    "description": "A marketplace where organizations share bare metal",
    "fixed_sidebar": True,
    "page_width": "1180px",
    "sidebar_width": "240px",
    "body_max_width": "none",
}
html_static_path = ["_static"]
html_css_files = ["flocx.css"]
html_show_sourcelink = False

generate.write(HERE / "_generated")

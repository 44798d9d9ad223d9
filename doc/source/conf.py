# SPDX-License-Identifier: Apache-2.0
"""Sphinx configuration. Needs the services and the commands installed, and nothing beyond Sphinx itself."""

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

_PURPOSES = {
    "openstack-flocx": "offer bare metal nodes, and bid for them",
    "flocx-market-api": "serve the REST API of a FLOCX market",
    "flocx-market-clear": "clear a FLOCX market from files",
    "flocx-market-manage": "look after the database of a FLOCX market",
    "flocx-market-manager": "clear a FLOCX market, and look after its contracts",
    "flocx-market-simulate": "replay real demand through a FLOCX market",
    "flocx-provider-api": "serve the REST API of a FLOCX provider",
    "flocx-provider-manage": "look after the database and the static nodes of a FLOCX provider",
    "flocx-provider-manager": "publish offers of a FLOCX provider, and hand its nodes over",
}
man_pages = [(f"man-{name}", name, purpose, [author], 1) for name, purpose in _PURPOSES.items()]

generate.write(HERE / "_generated")

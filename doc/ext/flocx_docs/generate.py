# SPDX-License-Identifier: Apache-2.0
"""Every file that is made before the pages are built."""

from __future__ import annotations

from pathlib import Path

from flocx_docs import (
    baremetal_tables,
    command_pages,
    error_table,
    manual_pages,
    metric_table,
    option_lists,
    policy_tables,
    requirement_tables,
    route_pages,
    state_pages,
)
from flocx_docs.architecture_drawings import DRAWINGS
from flocx_docs.drawing import svg


def files() -> dict[str, str]:
    """Return the text of every generated file by name."""
    made = {"errors.txt": error_table.page(), "metrics.txt": metric_table.page()}
    made["requirement-examples.txt"] = requirement_tables.examples()
    made["requirement-bounds.txt"] = requirement_tables.bounds()
    made["baremetal-routes.txt"] = baremetal_tables.page()
    made["baremetal-lessee-fields.txt"] = baremetal_tables.fields()
    for service in ("market", "provider"):
        made[f"options-{service}.txt"] = option_lists.page(service)
        made[f"policy-{service}.txt"] = policy_tables.page(service)
        made[f"api-{service}.txt"] = route_pages.page(service)
    for audience in command_pages.AUDIENCES:
        made[f"commands-{audience}.txt"] = command_pages.page(audience)
    for kind in command_pages.KINDS:
        made[f"{kind}.txt"] = command_pages.shared_arguments(kind)
    made["commands-listing.txt"] = command_pages.listing()
    made["commands-global.txt"] = command_pages.global_arguments()
    made["commands-statuses.txt"] = command_pages.status_list()
    for script in manual_pages.scripts():
        made[f"man-{script}.txt"] = manual_pages.page(script)
    for name in state_pages.MACHINES:
        made[f"states-{name}.txt"] = state_pages.page(name)
        made[f"{name}.svg"] = state_pages.drawing(name)
    for name, (title, dot) in DRAWINGS.items():
        made[f"{name}.svg"] = svg(dot, title)
    return made


def write(directory: Path) -> None:
    """Write the files; one that is as it should be is left alone, so that nothing is built twice."""
    directory.mkdir(exist_ok=True)
    for name, text in files().items():
        path = directory / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")

# SPDX-License-Identifier: Apache-2.0
"""What a server can be launched with: a flavour for each class of nodes, and an image."""

from __future__ import annotations

from acceptance.nodes import NODES
from acceptance.people import connect
from acceptance.site import Site

IMAGE = "tiny"


def provide_launchables(site: Site) -> None:
    """Make a public image, and for each resource class of the nodes a flavour of its name."""
    admin = connect(site, "admin")
    for hardware in {hardware.resource_class: hardware for hardware in NODES}.values():
        flavour = admin.compute.create_flavor(
            name=hardware.resource_class, ram=hardware.memory_mb, vcpus=hardware.cpus, disk=hardware.local_gb
        )
        # A node is taken whole: of its class one, and nothing is counted beside that.
        specs = {f"resources:CUSTOM_{hardware.resource_class.upper()}": "1"}
        specs |= {f"resources:{kind}": "0" for kind in ("VCPU", "MEMORY_MB", "DISK_GB")}
        admin.compute.create_flavor_extra_specs(flavour, specs)
    admin.image.create_image(
        name=IMAGE,
        disk_format="raw",
        container_format="bare",
        visibility="public",
        data=bytes(2**20),
        validate_checksum=False,
    )

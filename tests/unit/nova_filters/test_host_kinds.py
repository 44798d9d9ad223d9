# SPDX-License-Identifier: Apache-2.0
"""Which hosts are nodes of Ironic."""

import pytest

from nova_filters.host_kinds import is_bare_metal
from tests.builders import uid


@pytest.mark.parametrize(
    ("hypervisor_type", "nodename", "bare"),
    [
        ("ironic", uid(1), True),
        ("ironic", "named-otherwise", True),
        ("Ironic", uid(1), True),
        ("QEMU", "compute-1.example.org", False),
        ("QEMU", uid(1), False),
        # Nothing was reported yet: only Ironic's nodes are named by a UUID.
        (None, uid(1), True),
        (None, uid(1).upper(), True),
        ("", uid(1), True),
        (None, "compute-1.example.org", False),
        (None, f"{uid(1)}.example.org", False),
    ],
)
def test_a_node_of_ironic_is_told_by_what_its_driver_reports(hypervisor_type, nodename, bare):
    assert is_bare_metal(hypervisor_type, nodename) is bare

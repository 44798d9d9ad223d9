# SPDX-License-Identifier: Apache-2.0
import pytest

from flocx_common.domain.access import decide_access


@pytest.mark.parametrize(
    ("project", "owner", "lessee", "allowed"),
    [
        ("lessee", "owner", "lessee", True),
        ("owner", "owner", "lessee", False),
        ("stranger", "owner", "lessee", False),
        ("owner", "owner", None, True),
        ("stranger", "owner", None, False),
        ("owner", None, None, False),
        ("owner", "owner", "owner", True),
    ],
)
def test_only_the_lessee_may_and_without_one_only_the_owner(project, owner, lessee, allowed):
    answer = decide_access(project_id=project, owner_project_id=owner, lessee_project_id=lessee)
    assert answer.allowed is allowed
    others = {owner, lessee} - {project, None}
    assert not any(f" {other} " in f" {answer.reason} " for other in others if other not in ("owner", "lessee"))


def test_the_reason_never_names_another_project():
    answer = decide_access(project_id="p-me", owner_project_id="p-owner", lessee_project_id="p-lessee")
    assert "p-" not in answer.reason

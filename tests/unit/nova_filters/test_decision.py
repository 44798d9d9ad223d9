# SPDX-License-Identifier: Apache-2.0
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flocx_common.domain import access
from nova_filters import decision
from nova_filters.decision import decide_access

projects = st.sampled_from(["a", "b", "c"])
anybody = st.none() | projects


@pytest.mark.parametrize(
    ("story", "owner", "lessee", "allowed"),
    [
        ("the node is ours and free", "us", None, True),
        ("the node is ours and handed over", "us", "them", False),
        ("the node is handed over to us", "them", "us", True),
        ("the node was ours to use and has been taken back", "them", None, False),
        ("the node is handed over to somebody else", "them", "others", False),
        ("nobody owns the node", None, None, False),
        ("nobody owns the node and it is handed over to us", None, "us", True),
        ("we hold our own node", "us", "us", True),
    ],
    ids=lambda value: value if isinstance(value, str) and " " in value else "",
)
def test_a_project_lands_only_where_it_may(story, owner, lessee, allowed):
    assert decide_access(project_id="us", owner_project_id=owner, lessee_project_id=lessee).allowed is allowed


@given(anybody, anybody)
def test_at_most_one_project_may_use_a_node_and_all_others_may_not(owner, lessee):
    allowed = {
        project
        for project in ("a", "b", "c", "")
        if decide_access(project_id=project, owner_project_id=owner, lessee_project_id=lessee).allowed
    }
    assert allowed == {lessee or owner} - {None}


@given(projects, projects, projects)
def test_only_the_lessee_decides_while_there_is_one(project, owner, lessee):
    answers = {
        decide_access(project_id=project, owner_project_id=given_owner, lessee_project_id=lessee).allowed
        for given_owner in (owner, None)
    }
    assert answers == {project == lessee}


@given(anybody, anybody)
def test_every_answer_gives_a_reason(owner, lessee):
    assert decide_access(project_id="a", owner_project_id=owner, lessee_project_id=lessee).reason


def test_the_filter_and_the_provider_answer_by_one_rule():
    assert decision.decide_access is access.decide_access


def test_the_rule_brings_nothing_but_the_standard_library_into_the_scheduler():
    program = (
        "import sys\n"
        "before = set(sys.modules)\n"
        "import nova_filters.decision\n"
        "print(*sorted({name.partition('.')[0] for name in set(sys.modules) - before}))\n"
    )
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert [name for name in loaded if name not in sys.stdlib_module_names] == ["flocx_common", "nova_filters"]

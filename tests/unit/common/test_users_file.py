# SPDX-License-Identifier: Apache-2.0
import logging
import os

import pytest
import yaml

from flocx_common.api.users_file import User, UsersFile
from flocx_common.domain.errors import ConfigurationInvalid


class Written:
    """A users file that a test changes; each change looks like a later one."""

    def __init__(self, path):
        self.path = path
        self._changed = 0

    def write(self, content):
        self.path.write_text(content if isinstance(content, str) else yaml.safe_dump(content), encoding="utf-8")
        self._later()

    def _later(self):
        self._changed += 1
        os.utime(self.path, (self._changed, self._changed))

    def users(self, **users):
        self.write({"users": users})


@pytest.fixture
def written(tmp_path):
    made = Written(tmp_path / "users.yaml")
    made.users(ann={"project_id": "p-1", "project_name": "one", "roles": ["member"]})
    return made


def opened(written):
    return UsersFile(str(written.path))


def test_a_user_has_its_project(written):
    assert opened(written).user("ann") == User("p-1", "one", frozenset({"member", "reader"}))
    assert opened(written).user("bob") is None


@pytest.mark.parametrize(
    ("given", "implied"),
    [
        (["reader"], {"reader"}),
        (["member"], {"member", "reader"}),
        (["manager"], {"manager", "member", "reader"}),
        (["admin"], {"admin", "manager", "member", "reader"}),
        (["service"], {"service"}),
        (["service", "reader"], {"service", "reader"}),
    ],
)
def test_a_role_brings_those_that_keystone_would_imply(written, given, implied):
    written.users(ann={"project_id": "p-1", "roles": given})
    assert opened(written).user("ann").roles == implied


def test_projects_are_known_by_name_and_what_is_unknown_stays_as_it_is(written):
    written.users(
        ann={"project_id": "p-1", "project_name": "one", "roles": ["member"]},
        bob={"project_id": "p-2", "roles": ["member"]},
    )
    file = opened(written)
    assert file.resolve("one") == "p-1"
    assert file.resolve("p-1") == "p-1"
    assert file.resolve("two") == "two"
    assert file.names({"p-1", "p-2", "p-3"}) == {"p-1": "one"}
    assert file.names(set()) == {}


def ann(**fields):
    return {"users": {"ann": {"project_id": "p-1", "roles": ["member"]} | fields}}


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (ann(roles=["boss"]), 'users.ann.roles[0]: "boss": expected is one of admin, manager, member, reader, service'),
        (ann(roles="member"), 'users.ann.roles: "member": expected is array'),
        (ann(roles=[]), "users.ann.roles: []: expected are at least 1 items"),
        (ann(project_id=5), "users.ann.project_id: 5: expected is string"),
        (ann(project_id=""), 'users.ann.project_id: "": expected are at least 1 characters'),
        (ann(project_id="x" * 65), "expected are at most 64 characters"),
        (ann(project_id="two words"), 'users.ann.project_id: "two words": expected is text without spaces'),
        (ann(password="x"), "users.ann.password: unknown or read-only here"),
        ({"users": {"ann": {"roles": ["member"]}}}, "users.ann.project_id: required but missing"),
        ({"users": {"ann": {"project_id": "p-1"}}}, "users.ann.roles: required but missing"),
        ({"users": {"ann": None}}, "users.ann: null: expected is object"),
        ({"users": ["ann"]}, 'users: ["ann"]: expected is object'),
        ({"people": {}}, "users: required but missing"),
        ("", "null: expected is object"),
        ("users: {ann: [", "no YAML: "),
        ("users: {a: &a {project_id: p, roles: *a}}", "what JSON can hold is expected"),
        ("users: {2027-01-01: {project_id: p, roles: [member]}}", "what JSON can hold is expected"),
    ],
)
def test_a_mistake_is_told_in_one_line_with_file_user_field_and_expectation(written, content, told):
    written.write(content)
    with pytest.raises(ConfigurationInvalid) as refused:
        opened(written)
    assert refused.value.detail.startswith(f"[http_basic] users_file: {written.path}: ")
    assert told in refused.value.detail
    assert "\n" not in refused.value.detail


def test_every_mistake_is_told_at_once(written):
    written.users(ann={"project_id": 5, "roles": ["member"]}, bob={"project_id": "p-2", "roles": ["boss"]})
    with pytest.raises(ConfigurationInvalid, match=r"users\.ann\.project_id: 5: .*; users\.bob\.roles\[0\]: "):
        opened(written)


def test_a_file_that_is_not_there_is_told_with_its_path(tmp_path):
    with pytest.raises(ConfigurationInvalid, match=r"users_file: .*/none\.yaml: No such file or directory"):
        UsersFile(str(tmp_path / "none.yaml"))


def test_a_file_that_is_not_utf_8_is_told(written):
    written.path.write_bytes(b"users: {\xff: {}}")
    with pytest.raises(ConfigurationInvalid, match="no YAML"):
        opened(written)


def test_a_number_for_a_name_and_a_date_for_an_id_are_the_text_they_were_written_as(written):
    written.write("users: {1001: {project_id: 2027-01-02, roles: [member]}}")
    assert opened(written).user("1001").project_id == "2027-01-02"


def test_a_change_of_the_file_is_there_with_the_next_question(written):
    file = opened(written)
    written.users(bob={"project_id": "p-2", "project_name": "two", "roles": ["reader"]})
    assert file.user("ann") is None
    assert file.user("bob").project_id == "p-2"
    assert file.resolve("two") == "p-2"


def broken(written):
    written.write(ann(roles=["boss"]))


def gone(written):
    written.path.unlink()


@pytest.mark.parametrize("spoil", [broken, gone], ids=["broken", "gone"])
def test_a_file_spoilt_later_is_told_once_and_changes_nothing(written, caplog, spoil):
    caplog.set_level(logging.INFO, "flocx_common.api.users_file")
    file = opened(written)
    spoil(written)
    for _ in range(3):
        assert file.user("ann").project_id == "p-1"
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert str(written.path) in caplog.text
    written.users(ann={"project_id": "p-9", "roles": ["member"]})
    assert file.user("ann").project_id == "p-9"
    assert [record.levelname for record in caplog.records] == ["ERROR", "INFO"]

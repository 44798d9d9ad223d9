# SPDX-License-Identifier: Apache-2.0
"""The names of projects: from Keystone over HTTP, kept for a while, and never a call for each."""

from __future__ import annotations

import logging

import pytest
from keystoneauth1 import adapter, loading, session

from flocx_common.api.keystone import keystone_directory
from flocx_common.api.keystone_directory import DirectoryUnavailable, KeystoneDirectory, ProjectUnknown
from flocx_market import bootstrap
from tests.harness import write_conf
from tests.unit.common.fake_keystone import FakeKeystone

A, B, C = (digit * 32 for digit in "abc")


class Time:
    now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def keystone():
    made = FakeKeystone()
    made.domains = [{"id": "d2", "name": "Partners"}]
    made.projects = [
        {"id": A, "name": "owner", "domain_id": "default"},
        {"id": B, "name": "consumer", "domain_id": "default"},
        {"id": C, "name": "consumer", "domain_id": "d2"},
    ]
    yield made
    made.stop()


def identity(keystone):
    options = {"auth_url": keystone.url, "username": "any", "password": "any", "project_name": "services"}
    auth = loading.get_plugin_loader("password").load_from_options(
        **options, user_domain_id="default", project_domain_id="default"
    )
    return adapter.Adapter(session.Session(auth=auth, timeout=5), service_type="identity", version="3")


@pytest.fixture
def time():
    return Time()


@pytest.fixture
def directory(keystone, time):
    return KeystoneDirectory([lambda: identity(keystone)], lifetime=300, monotonic=time)


@pytest.mark.parametrize(
    ("given", "project"), [("owner", A), (A, A), ("Default/consumer", B), ("Partners/consumer", C), (C, C)]
)
def test_a_project_is_found_by_id_by_name_and_by_domain_and_name(directory, given, project):
    assert directory.resolve(given) == project


def test_names_come_in_one_question_and_with_the_domain_where_several_have_them(directory, keystone):
    assert directory.names({A, B, C, "f" * 32}) == {A: "owner", B: "Default/consumer", C: "Partners/consumer"}
    # Projects and domains.
    assert keystone.listed == 2


def test_a_name_that_several_have_is_refused_with_what_is_expected(directory):
    with pytest.raises(ProjectUnknown, match="'consumer': 2 domains have it; DOMAIN/NAME or an id"):
        directory.resolve("consumer")


def test_a_name_that_nobody_has_is_refused(directory):
    with pytest.raises(ProjectUnknown, match="'nobody': there is none"):
        directory.resolve("nobody")


def test_an_id_needs_no_keystone(directory, keystone):
    keystone.stop()
    assert directory.resolve("f" * 32) == "f" * 32
    assert directory.names({A}) == {}


def test_what_is_known_is_kept_and_asked_again_when_it_is_old(directory, keystone, time):
    directory.resolve("owner")
    keystone.projects[0] = {"id": A, "name": "renamed", "domain_id": "default"}
    time.now += 299
    assert directory.names({A}) == {A: "owner"}
    time.now += 1
    assert directory.names({A}) == {A: "renamed"}
    assert directory.resolve("renamed") == A


def test_a_new_project_is_found_at_once_and_unknown_names_are_not_asked_for_again_and_again(directory, keystone, time):
    directory.resolve("owner")
    keystone.projects.append({"id": "d" * 32, "name": "new", "domain_id": "default"})
    time.now += 5
    assert directory.resolve("new") == "d" * 32
    before = keystone.listed
    for _ in range(10):
        with pytest.raises(ProjectUnknown):
            directory.resolve("nobody")
        directory.names({"e" * 32})
    assert keystone.listed == before


def test_while_keystone_is_away_what_is_known_stands_and_the_log_says_it_once(directory, keystone, time, caplog):
    directory.resolve("owner")
    keystone.list_status = 503
    with caplog.at_level(logging.INFO):
        for _ in range(3):
            time.now += 301
            assert directory.resolve("owner") == A
            assert directory.names({A}) == {A: "owner"}
        keystone.list_status = 200
        time.now += 301
        directory.names({A})
    told = [line for line in caplog.messages if "names of projects" in line]
    assert [("cannot" in line) for line in told] == [True, False]


def test_a_name_that_cannot_be_looked_up_is_not_taken_for_an_id(directory, keystone):
    keystone.list_status = 403
    with pytest.raises(DirectoryUnavailable, match="'owner' cannot be looked up"):
        directory.resolve("owner")


def test_the_first_connection_that_may_list_projects_is_kept(keystone, time):
    used = []

    def refused():
        used.append("refused")
        raise_unauthorized()

    def allowed():
        used.append("allowed")
        return identity(keystone)

    directory = KeystoneDirectory([refused, allowed], lifetime=300, monotonic=time)
    assert directory.resolve("owner") == A
    time.now += 301
    directory.resolve("owner")
    assert used == ["refused", "allowed", "allowed"]


def raise_unauthorized():
    from keystoneauth1.exceptions import Unauthorized

    raise Unauthorized


def test_without_any_credentials_ids_are_taken_as_they_are(tmp_path):
    path = write_conf(tmp_path, "market.conf", {"database": {"connection": "sqlite://"}})
    directory = keystone_directory(bootstrap.configuration(["--config-file", str(path)]))
    assert directory.resolve("anything") == "anything"
    assert directory.names({A}) == {}

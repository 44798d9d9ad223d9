# SPDX-License-Identifier: Apache-2.0
"""The promises of project directories, kept by all that there are."""

import pytest
import yaml

from flocx_common.api.users_file import UsersFile
from flocx_common.ports.directory import NoDirectory
from tests.fakes import FakeDirectory

IDS = {"astro": "p-1", "bio": "p-2"}


class DirectoryPromises:
    """The suite. A subclass has a fixture ``directory``."""

    @pytest.mark.parametrize("given", ["p-1", "p-9", "nobody", ""])
    def test_an_id_and_what_is_not_known_are_returned_as_given(self, directory, given):
        assert directory.resolve(given) == given

    def test_names_are_only_those_asked_for(self, directory):
        assert set(directory.names(["p-1", "p-9"])) <= {"p-1"}
        assert directory.names([]) == {}

    def test_a_name_that_is_told_resolves_to_the_project_it_was_told_of(self, directory):
        told = directory.names(["p-1", "p-2", "p-9"])
        assert {directory.resolve(name): name for name in told.values()} == told


class KnowingDirectoryPromises(DirectoryPromises):
    """The suite for those that know astro (p-1) and bio (p-2)."""

    def test_names_resolve_to_ids_and_ids_to_names(self, directory):
        assert [directory.resolve(name) for name in IDS] == list(IDS.values())
        assert directory.names(["p-2"]) == {"p-2": "bio"}


class TestNoDirectory(DirectoryPromises):
    @pytest.fixture
    def directory(self):
        return NoDirectory()


class TestUsersFile(KnowingDirectoryPromises):
    @pytest.fixture
    def directory(self, tmp_path):
        users = {
            "ann": {"project_id": "p-1", "project_name": "astro", "roles": ["manager"]},
            "art": {"project_id": "p-1", "project_name": "astro", "roles": ["reader"]},
            "bob": {"project_id": "p-2", "project_name": "bio", "roles": ["member"]},
            "nameless": {"project_id": "p-3", "roles": ["member"]},
        }
        path = tmp_path / "users.yaml"
        path.write_text(yaml.safe_dump({"users": users}))
        return UsersFile(str(path))


class TestFakeDirectory(KnowingDirectoryPromises):
    @pytest.fixture
    def directory(self):
        return FakeDirectory(IDS)

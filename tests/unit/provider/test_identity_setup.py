# SPDX-License-Identifier: Apache-2.0
"""What FLOCX needs in Keystone: the plan, and making it, which is harmless to repeat."""

from __future__ import annotations

import json
import shlex
from types import SimpleNamespace

import pytest
from openstack import exceptions as sdk_exceptions

from flocx_common.domain.errors import ConfigurationInvalid, Unavailable
from flocx_provider.cmd import manage
from flocx_provider.cmd.identity_plan import Wanted, plan
from flocx_provider.cmd.identity_setup import IdentitySetup

URLS = {"flocx-market": "https://market", "flocx-provider": "https://provider"}


def wanted(**over):
    given = {"urls": URLS, "region": "one", "project": "service", "domain": "Default", "deletes_servers": False}
    return plan(Wanted(**(given | over)))


class Identity:
    """A Keystone in memory with the calls of openstacksdk's proxy. ``refuse`` names one that fails."""

    def __init__(self):
        self.things, self.grants, self.refuse = [], set(), None

    def _make(self, kind, **values):
        if self.refuse == kind:
            raise sdk_exceptions.ForbiddenException("you may not")
        name = values.get("name") or values.get("id")
        self.things.append(SimpleNamespace(kind=kind, **{"id": f"id of {name}", **values}))

    def _find(self, kind, name, ignore_missing=True, **values):
        for one in self.things:
            known = getattr(one, "name", one.id)
            if one.kind == kind and known == name and all(getattr(one, k) == v for k, v in values.items()):
                return one
        if not ignore_missing:
            raise sdk_exceptions.NotFoundException(f"no {kind} {name}")
        return None

    def _list(self, kind, **values):
        return [one for one in self.things if one.kind == kind and vars(one).items() >= values.items()]

    def __getattr__(self, name):
        verb, _, kind = name.partition("_")
        if verb == "find":
            if kind == "domain":
                return lambda name, **_: SimpleNamespace(id=f"id of {name}")
            return lambda *given, **values: self._find(kind, *given, **values)
        if verb == "create":
            return lambda **values: self._make(kind, **values)
        if name in ("services", "endpoints"):
            return lambda **values: self._list(name[:-1], **values)
        raise AttributeError(name)

    def validate_user_has_project_role(self, project, user, role):
        return (user.name, role.name, project.name) in self.grants

    def assign_project_role_to_user(self, project, user, role):
        self.grants.add((user.name, role.name, project.name))

    def validate_user_has_system_role(self, user, role, system):
        return (user.name, role.name, system) in self.grants

    def assign_system_role_to_user(self, user, role, system):
        self.grants.add((user.name, role.name, system))


@pytest.fixture
def identity():
    made = Identity()
    made.create_role(name="reader")
    made.create_role(name="admin")
    return made


def test_everything_is_made_once_and_the_second_time_nothing(identity):
    setup = IdentitySetup(identity, "secret")
    assert {outcome for _, outcome in setup.apply(wanted())} == {"made"}
    before = len(identity.things), set(identity.grants)
    assert {outcome for _, outcome in setup.apply(wanted())} == {"was there"}
    assert (len(identity.things), identity.grants) == before


def test_service_users_have_no_more_roles_than_they_need(identity):
    IdentitySetup(identity, "secret").apply(wanted())
    roles = {("service", "service"), ("reader", "all")}
    assert identity.grants == {(user, *role) for user in URLS for role in roles}
    IdentitySetup(identity, "secret").apply(wanted(deletes_servers=True))
    assert identity.grants == {(user, *role) for user in URLS for role in roles} | {
        ("flocx-provider", "admin", "service")
    }


def test_a_second_provider_has_a_user_of_its_own_and_shares_the_service(identity):
    IdentitySetup(identity, "secret").apply(wanted())
    second = wanted(urls={"flocx-provider": "https://second"}, region="two", provider_user="p2", deletes_servers=True)
    made = {
        (thing.kind, thing.name)
        for thing, outcome in IdentitySetup(identity, "secret").apply(second)
        if outcome == "made"
    }
    assert ("user", "p2") in made
    assert not {kind for kind, _ in made} & {"service", "role", "project"}
    assert {role for user, role, _ in identity.grants if user == "p2"} == {"service", "reader", "admin"}
    assert ("flocx-provider", "admin", "service") not in identity.grants
    assert [one.url for one in identity.endpoints(region_id="two")] == ["https://second"] * 2


def test_users_that_are_there_need_no_password_and_new_ones_do(identity):
    with pytest.raises(ConfigurationInvalid, match="--password-file: user flocx-market"):
        IdentitySetup(identity, None).apply(wanted())
    IdentitySetup(identity, "secret").apply(wanted())
    IdentitySetup(identity, None).apply(wanted())


def test_an_endpoint_with_another_url_is_told_and_not_doubled(identity):
    IdentitySetup(identity, "secret").apply(wanted())
    with pytest.raises(ConfigurationInvalid, match="public of flocx-market: region one has another one"):
        IdentitySetup(identity, "secret").apply(wanted(urls={"flocx-market": "https://elsewhere"}))


def test_what_keystone_refuses_is_told_by_name(identity):
    identity.refuse = "service"
    with pytest.raises(Unavailable, match=r"service flocx-market: .*you may not"):
        IdentitySetup(identity, "secret").apply(wanted())


def test_the_plan_has_a_command_for_each_thing_and_none_holds_a_secret():
    for thing in wanted(deletes_servers=True):
        words = shlex.split(thing.command)
        assert words[0] == "openstack"
        assert "--password" not in words


def test_the_command_prints_the_plan(capsys):
    assert manage.main(["bootstrap", "--provider-url", "https://provider", "-f", "json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [one["kind"] for one in told] == [
        *("role", "project", "user", "grant", "system-grant", "service", "endpoint", "endpoint")
    ]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "--provider-url or --market-url"),
        (["--provider-url", "here"], "--provider-url: 'here'"),
        (["--market-url", "http://m", "--apply", "--os-cloud", "no-such-cloud"], "--os-cloud"),
    ],
)
def test_what_the_command_cannot_do_is_told_in_a_line(words, told, capsys):
    with pytest.raises(SystemExit) as ended:
        manage.main(["bootstrap", *words])
    assert ended.value.code == 1
    assert told in capsys.readouterr().err

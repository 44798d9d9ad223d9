# SPDX-License-Identifier: Apache-2.0
import pytest

from flocx_common.api.context import IDENTITY_HEADERS
from flocx_common.api.health import Readiness
from flocx_common.api.keystone import keystone_check
from flocx_common.domain.errors import ConfigurationInvalid
from flocx_market import bootstrap
from tests.harness import write_conf
from tests.unit.common.fake_keystone import FakeKeystone
from tests.unit.common.identities import application


@pytest.fixture(scope="module")
def keystone():
    made = FakeKeystone()
    yield made
    made.stop()


@pytest.fixture
def app(keystone, tmp_path):
    return application(
        tmp_path,
        {
            "api": {"auth_strategy": "keystone"},
            "keystone_authtoken": {**keystone.options(), "service_token_roles": "service"},
        },
    )


def with_token(token, service=None):
    return {"X-Auth-Token": token} | ({} if service is None else {"X-Service-Token": service})


def test_a_valid_token_says_who_calls(app, keystone):
    token = keystone.issue("ann", project="p-ann", roles=("Manager", "member", "reader"))
    assert app.get("/", headers=with_token(token)).json == {
        "user": "u-ann",
        "project": "p-ann",
        "project_name": "name of p-ann",
        "roles": ["manager", "member", "reader"],
    }


@pytest.mark.parametrize("headers", [{}, with_token("unknown"), {"Authorization": "Basic YW5uOnNlY3JldA=="}])
def test_without_a_valid_token_the_caller_is_told_where_to_get_one(app, keystone, headers):
    response = app.get("/", headers=headers, status=401)
    assert response.headers["WWW-Authenticate"] == f'Keystone uri="{keystone.url}"'
    assert response.json["errors"][0]["code"] == "flocx.auth.unauthenticated"


def test_an_expired_token_is_no_token(app, keystone):
    app.get("/", headers=with_token(keystone.issue("late", expired=True)), status=401)


def test_public_routes_need_no_token(app):
    app.get("/public", status=200)
    app.get("/public", headers=with_token("unknown"), status=200)


def test_a_token_without_a_project_is_forbidden(app, keystone):
    response = app.get("/", headers=with_token(keystone.issue("root", project=None, roles=("admin",))), status=403)
    assert response.json["errors"][0]["detail"] == "token: a token scoped to a project is expected"


def test_no_header_of_a_client_says_who_it_is(app, keystone):
    forged = {name: "Confirmed" if name.endswith("Status") else "admin" for name in IDENTITY_HEADERS}
    app.get("/", headers=forged, status=401)
    token = with_token(keystone.issue("ann", project="p-ann"))
    assert app.get("/policy", headers=forged | token).json == app.get("/policy", headers=token).json


def test_a_service_token_keeps_an_expired_token_of_a_user_going(app, keystone):
    late = keystone.issue("late", project="p-late", expired=True)
    service = keystone.issue("provider", roles=("service",))
    answer = app.get("/", headers=with_token(late, service)).json
    assert (answer["user"], answer["project"], answer["roles"]) == ("u-late", "p-late", ["member"])


@pytest.mark.parametrize("roles", [("member",), None], ids=["no service", "unknown"])
def test_a_service_token_that_is_none_helps_nobody(app, keystone, roles):
    bad = "nobody's" if roles is None else keystone.issue("mere-user", roles=roles)
    app.get("/", headers=with_token(keystone.issue("ann"), bad), status=401)
    app.get("/", headers=with_token(keystone.issue("late", expired=True), bad), status=401)


def test_a_token_that_nobody_can_check_is_not_called_invalid(tmp_path):
    gone = FakeKeystone()
    app = application(tmp_path, {"api": {"auth_strategy": "keystone"}, "keystone_authtoken": gone.options()})
    gone.stop()
    for headers in (with_token("some"), with_token("some", "service")):
        response = app.get("/", headers=headers, status=503)
        assert response.json["errors"][0]["detail"] == "authentication: the identity service does not answer"
    app.get("/", status=401)
    app.get("/public", status=200)


def test_of_service_tokens_only_those_of_services_count_unless_the_operator_says_otherwise(keystone, tmp_path):
    options = keystone.options()
    del options["service_token_roles_required"]
    app = application(tmp_path, {"api": {"auth_strategy": "keystone"}, "keystone_authtoken": options})
    token, mere = keystone.issue("ann"), keystone.issue("mere-user", roles=("member",))
    app.get("/", headers=with_token(token, mere), status=401)
    app.get("/", headers=with_token(token, keystone.issue("provider", roles=("service",))), status=200)


def test_tokens_are_not_asked_after_for_public_routes_without_one(app, keystone):
    before = len(keystone.asked)
    app.get("/public")
    assert len(keystone.asked) == before


def failing(directory, options):
    sections = {"database": {"connection": "sqlite://"}, "keystone_authtoken": options}
    path = write_conf(directory, "market.conf", sections)
    return Readiness({"keystone": keystone_check(bootstrap.configuration(["--config-file", str(path)]))}).failing()


def test_a_keystone_that_takes_our_credentials_is_ready(keystone, tmp_path):
    assert failing(tmp_path, keystone.options()) == ()


def test_a_keystone_that_does_not_answer_is_not_ready(tmp_path):
    gone = FakeKeystone()
    gone.stop()
    assert failing(tmp_path, gone.options()) == ("keystone",)


def test_a_keystone_we_have_no_credentials_for_is_not_ready(tmp_path):
    assert failing(tmp_path, {}) == ("keystone",)


@pytest.mark.parametrize(
    ("option", "value", "told"),
    [("auth_type", "magic", "The plugin magic could not be found"), ("http_connect_timeout", "long", "'long'")],
)
def test_options_of_keystone_that_cannot_be_used_stop_the_start(keystone, tmp_path, option, value, told):
    sections = {"api": {"auth_strategy": "keystone"}, "keystone_authtoken": keystone.options() | {option: value}}
    with pytest.raises(ConfigurationInvalid, match=rf"^\[keystone_authtoken\]: .*{told}"):
        application(tmp_path, sections)

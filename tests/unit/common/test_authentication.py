# SPDX-License-Identifier: Apache-2.0
import base64
import os

import bcrypt
import pytest
import yaml

from flocx_common.api.auth import authenticated
from flocx_common.api.context import IDENTITY_HEADERS
from flocx_common.domain.errors import ConfigurationInvalid
from flocx_market import bootstrap
from tests.harness import write_conf
from tests.unit.common.identities import application, who_am_i


def digest(password):
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt(4)).decode()


class Files:
    """The two files of http_basic, with one user ann in them."""

    def __init__(self, directory):
        self.directory = directory
        self.htpasswd = directory / "htpasswd"
        self.users = directory / "users.yaml"
        self._written = 0
        self.passwords(ann="secret")
        self.roles(ann="member")

    def passwords(self, **passwords):
        self.htpasswd.write_text("".join(f"{user}:{digest(password)}\n" for user, password in passwords.items()))

    def roles(self, **roles):
        users = {
            user: {"project_id": f"p-{user}", "project_name": user, "roles": [role]} for user, role in roles.items()
        }
        self.users.write_text(yaml.safe_dump({"users": users}))
        # Within the resolution of the file system's time it would look unchanged.
        self._written += 1
        os.utime(self.users, (self._written, self._written))

    def sections(self, **options):
        basic = {"htpasswd_file": self.htpasswd, "users_file": self.users, **options}
        return {"api": {"auth_strategy": "http_basic"}, "http_basic": basic}

    def app(self, **options):
        return application(self.directory, self.sections(**options))


@pytest.fixture
def files(tmp_path):
    return Files(tmp_path)


def as_user(name, password, scheme="Basic"):
    return {"Authorization": f"{scheme} {base64.b64encode(f'{name}:{password}'.encode()).decode()}"}


def test_good_credentials_give_the_user_its_project_and_roles(files):
    assert files.app().get("/", headers=as_user("ann", "secret")).json == {
        "user": "ann",
        "project": "p-ann",
        "project_name": "ann",
        "roles": ["member", "reader"],
    }


@pytest.mark.parametrize(
    "headers",
    [
        {},
        as_user("ann", "wrong"),
        as_user("ann", ""),
        as_user("bob", "secret"),
        as_user("an", "secret"),
        as_user("", "secret"),
        as_user("ann", "secret", scheme="Bearer"),
        as_user("ann", "s" * 100),
        {"Authorization": "Basic"},
        {"Authorization": "Basic !!!"},
        {"Authorization": f"Basic {base64.b64encode(b'ann').decode()}"},
        {"Authorization": f"Basic {base64.b64encode(bytes([0xFF]) + b':secret').decode()}"},
        {"X-Auth-Token": "anything"},
    ],
    ids=[
        "nothing",
        "wrong password",
        "no password",
        "unknown user",
        "beginning of a user",
        "no user",
        "another scheme",
        "long password",
        "no credentials",
        "no base64",
        "no colon",
        "no UTF-8",
        "a token",
    ],
)
def test_anything_else_is_401_in_our_form_and_says_how_to_authenticate(files, headers):
    response = files.app().get("/", headers=headers, status=401)
    assert response.headers["WWW-Authenticate"] == 'Basic realm="flocx", charset="UTF-8"'
    assert response.json["errors"][0]["code"] == "flocx.auth.unauthenticated"


def test_who_nobody_knows_gets_as_far_as_the_public_routes(files):
    files.app().get("/public", status=200)
    files.app().get("/public", headers=as_user("ann", "wrong"), status=200)


def test_a_user_without_a_project_is_nobody(files):
    files.passwords(ann="secret", bob="secret")
    files.app().get("/", headers=as_user("bob", "secret"), status=401)


def test_a_password_of_many_bytes_and_colons_opens(files):
    files.passwords(ann="pä:ss wörd")
    files.app().get("/", headers=as_user("ann", "pä:ss wörd"), status=200)


SCHEMES = {
    "apr1": "$apr1$abcdefgh$0123456789abcdefghijkl",
    "sha1": "{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=",
    "crypt": "abJnggxhB/yWI",
    "plain": "secret",
}


@pytest.mark.parametrize("stored", SCHEMES.values(), ids=SCHEMES)
def test_a_digest_that_is_not_bcrypt_stops_the_start_naming_file_and_user(files, stored):
    files.htpasswd.write_text(f"ann:{stored}\n")
    with pytest.raises(ConfigurationInvalid) as refused:
        files.app()
    assert refused.value.detail == (
        f"[http_basic] htpasswd_file: {files.htpasswd}: Only bcrypt digested passwords are supported for ann"
    )


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda path: path.unlink(), "it cannot be read"),
        (lambda path: path.write_bytes(b"\xff\xfe:x"), "UTF-8 is expected"),
    ],
    ids=["gone", "no UTF-8"],
)
def test_a_password_file_that_cannot_be_read_stops_the_start(files, spoil, told):
    spoil(files.htpasswd)
    with pytest.raises(ConfigurationInvalid) as refused:
        files.app()
    assert refused.value.detail == f"[http_basic] htpasswd_file: {files.htpasswd}: {told}"


def test_a_damaged_digest_opens_nothing(files):
    files.htpasswd.write_text("ann:$2b$04$short\n")
    files.app().get("/", headers=as_user("ann", "secret"), status=401)


def test_a_new_user_and_new_roles_take_effect_with_the_next_request(files):
    app = files.app()
    app.get("/", headers=as_user("ann", "secret"))
    files.passwords(ann="secret", bob="hidden")
    files.roles(ann="reader", bob="manager")
    assert app.get("/", headers=as_user("ann", "secret")).json["roles"] == ["reader"]
    assert app.get("/", headers=as_user("bob", "hidden")).json["roles"] == ["manager", "member", "reader"]


def test_a_user_taken_out_of_the_users_file_is_out_at_once_though_its_password_is_remembered(files):
    app = files.app(cache_seconds=3600)
    app.get("/", headers=as_user("ann", "secret"))
    files.roles(bob="member")
    app.get("/", headers=as_user("ann", "secret"), status=401)


def test_a_changed_password_is_checked_at_once_where_nothing_is_remembered(files):
    app = files.app(cache_seconds=0)
    app.get("/", headers=as_user("ann", "secret"))
    files.passwords(ann="new")
    app.get("/", headers=as_user("ann", "secret"), status=401)
    app.get("/", headers=as_user("ann", "new"))


def test_remembered_credentials_open_for_a_while_and_no_others_with_them(files):
    files.roles(ann="member", anns="member")
    app = files.app(cache_seconds=3600)
    app.get("/", headers=as_user("ann", "secret"))
    files.htpasswd.unlink()
    app.get("/", headers=as_user("ann", "secret"))
    app.get("/", headers=as_user("ann", "secrets"), status=401)
    app.get("/", headers=as_user("anns", "ecret"), status=401)


def test_wrong_credentials_are_never_remembered(files):
    app = files.app(cache_seconds=3600)
    app.get("/", headers=as_user("ann", "later"), status=401)
    files.passwords(ann="later")
    app.get("/", headers=as_user("ann", "later"))


NOAUTH = {"api": {"auth_strategy": "noauth"}, "noauth": {"user_id": "u", "project_id": "p", "roles": "Member,reader"}}


def test_without_authentication_everybody_is_the_configured_user(tmp_path):
    app = application(tmp_path, NOAUTH)
    expected = {"user": "u", "project": "p", "project_name": "p", "roles": ["member", "reader"]}
    assert app.get("/").json == expected
    assert app.get("/", headers=as_user("ann", "secret")).json == expected


@pytest.mark.parametrize("strategy", ["http_basic", "noauth"])
def test_no_header_of_a_client_says_who_it_is(files, strategy):
    sections = NOAUTH if strategy == "noauth" else files.sections()
    app = application(files.directory, sections)
    credentials = as_user("ann", "secret")
    forged = {name: "Confirmed" if name.endswith("Status") else "admin" for name in IDENTITY_HEADERS}
    assert app.get("/policy", headers=credentials | forged).json == app.get("/policy", headers=credentials).json
    if strategy == "http_basic":
        app.get("/", headers=forged, status=401)


def test_a_strategy_that_is_set_up_knows_the_names_of_projects(files):
    path = write_conf(files.directory, "market.conf", files.sections())
    _, directory = authenticated(who_am_i, bootstrap.configuration(["--config-file", str(path)]))
    assert directory.resolve("ann") == "p-ann"

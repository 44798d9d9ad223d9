# SPDX-License-Identifier: Apache-2.0
"""The whole provider, as its configuration wires it: with Ironic, and without."""

from __future__ import annotations

import pytest

from flocx_provider import bootstrap
from tests.harness import Browser, write_conf, write_users


def test_a_provider_with_another_driver_has_nothing_of_ironics(room):
    room.provider.browser(None).get("/baremetal/v1/nodes", status=401)
    (error,) = room.provider.browser("owner-a").get("/baremetal/v1/nodes", status=404).json["errors"]
    assert error["code"] == "flocx.baremetal.absent"
    assert room.provider.browser("owner-a").get("/v1/nodes").json["nodes"]


def test_a_provider_with_the_ironic_driver_asks_the_ironic_it_is_configured_with(tmp_path, sqlite_provider):
    pytest.importorskip("ironicclient")
    write_users(tmp_path)
    sections = {
        "api": {"auth_strategy": "http_basic"},
        "http_basic": {"htpasswd_file": tmp_path / "htpasswd", "users_file": tmp_path / "users.yaml"},
        "database": {"connection": sqlite_provider.url},
        "provider": {"driver": "ironic"},
        # Nothing listens there.
        "ironic": {"auth_type": "none", "endpoint_override": "http://127.0.0.1:1"},
    }
    conf = bootstrap.configuration(["--config-file", str(write_conf(tmp_path, "provider.conf", sections))])
    app, _ = bootstrap.application(conf, db=sqlite_provider.renew())
    for user, path in ((None, "/baremetal/"), ("owner-a", "/baremetal/v1/nodes")):
        (error,) = Browser(app, user).get(path, status=503).json["errors"]
        assert error["code"] == "flocx.baremetal.unavailable"

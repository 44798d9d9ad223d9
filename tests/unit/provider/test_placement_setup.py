# SPDX-License-Identifier: Apache-2.0
"""Turning the aggregates on: off by default, and not on without credentials."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from oslo_config import cfg

from flocx_common.domain.errors import ConfigurationInvalid
from flocx_provider.conf import opts
from flocx_provider.drivers import placement_setup
from flocx_provider.manager.tasks import Intervals, provider_jobs
from flocx_provider.ports.placement import PlacementUnavailable
from tests.fakes import FakeInventory

INTERVALS = Intervals(
    publish=1, resync=1, pull=1, reconcile=1, report=1, health=1, heartbeat=1, wait=1, placement=60
)  # fmt: skip
CREDENTIALS = "auth_type = admin_token\nendpoint = http://127.0.0.1:9\ntoken = secret\n"


def configured(tmp_path, text=""):
    file = tmp_path / "flocx-provider.conf"
    file.write_text(text)
    conf = cfg.ConfigOpts()
    opts.register(conf)
    conf(["--config-file", str(file)])
    return conf


def jobs(placement):
    settings = SimpleNamespace(fulfillment=None, private=None)
    found = provider_jobs(None, FakeInventory(), None, settings, INTERVALS, placement)
    return {job.name: job for job in found}


def test_there_are_no_aggregates_unless_they_are_turned_on(tmp_path):
    assert placement_setup.create(configured(tmp_path)) is None
    assert "placement" not in jobs(None)


@pytest.mark.parametrize("missing", ["placement", "nova"])
def test_turned_on_without_credentials_is_told_by_the_section(tmp_path, missing):
    sections = {name: f"[{name}]\n{CREDENTIALS}" for name in ("placement", "nova") if name != missing}
    text = "[placement_aggregates]\nenabled = true\n" + "".join(sections.values())
    with pytest.raises(ConfigurationInvalid, match=rf"\[{missing}\] auth_type"):
        placement_setup.create(configured(tmp_path, text))


def test_credentials_that_cannot_be_used_are_told_by_the_section(tmp_path):
    text = f"[placement_aggregates]\nenabled = true\n[placement]\n{CREDENTIALS}[nova]\nauth_type = pasword\n"
    with pytest.raises(ConfigurationInvalid, match=r"\[nova\] auth: .*pasword"):
        placement_setup.create(configured(tmp_path, text))


def test_one_section_can_have_the_credentials_of_both(tmp_path):
    text = f"[placement_aggregates]\nenabled = true\n[placement]\nauth_section = nova\n[nova]\n{CREDENTIALS}"
    assert placement_setup.create(configured(tmp_path, text)) is not None


def test_turned_on_it_is_a_job_that_changes_wake(tmp_path):
    text = f"[placement_aggregates]\nenabled = true\n[placement]\n{CREDENTIALS}[nova]\n{CREDENTIALS}"
    made = placement_setup.create(configured(tmp_path, text))
    with pytest.raises(PlacementUnavailable, match="placement: it does not answer"):
        made.check()
    job = jobs(made)["placement"]
    assert (job.interval, job.on_change) == (60, True)
    with pytest.raises(PlacementUnavailable):
        job.work(None)

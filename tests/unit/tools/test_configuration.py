# SPDX-License-Identifier: Apache-2.0
"""Configuration files as the run writes them and oslo.config reads them."""

from __future__ import annotations

import stat

from acceptance.configuration import write_configuration
from oslo_config import cfg


def test_oslo_config_reads_back_what_was_written(tmp_path):
    path = write_configuration(
        tmp_path / "deep" / "some.conf",
        {"DEFAULT": {"flag": True}, "a": {"text": "$not_a_name", "number": 5, "many": ["one", "two"]}},
    )
    conf = cfg.ConfigOpts()
    conf.register_opts([cfg.BoolOpt("flag")])
    conf.register_opts([cfg.StrOpt("text"), cfg.IntOpt("number"), cfg.MultiStrOpt("many")], group="a")
    conf(args=[], default_config_files=[str(path)])
    assert conf.flag is True
    assert (conf.a.text, conf.a.number, conf.a.many) == ("$not_a_name", 5, ["one", "two"])


def test_nobody_else_can_read_the_passwords_in_it(tmp_path):
    path = write_configuration(tmp_path / "some.conf", {"DEFAULT": {"password": "secret"}})
    assert stat.S_IMODE(path.stat().st_mode) == 0o600

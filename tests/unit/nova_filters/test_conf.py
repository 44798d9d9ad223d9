# SPDX-License-Identifier: Apache-2.0
"""The options of the filter: the same places as the provider's, and small bounds."""

import pytest
from oslo_config import cfg

from flocx_common.domain.errors import ConfigurationInvalid
from flocx_common.domain.holders import NodeAttributes
from flocx_provider.conf import ironic
from nova_filters import decision, gate
from nova_filters.conf import OPTS, FilterSettings, list_opts, register, settings_of
from tests.unit.documented import page

SHARED = ("owner_attribute", "lessee_attribute", "mirror_lessee_field")


def configured(tmp_path, text=""):
    file = tmp_path / "nova.conf"
    file.write_text(text)
    conf = cfg.ConfigOpts()
    register(conf)
    conf(["--config-file", str(file)])
    return conf


def test_by_default_a_list_may_be_one_second_old(tmp_path):
    assert settings_of(configured(tmp_path)) == FilterSettings(NodeAttributes(), 1.0, 20.0)


def test_owner_and_lessee_have_the_providers_names_and_defaults():
    ours = {option.name: (type(option), option.default) for option in OPTS}
    theirs = {option.name: (type(option), option.default) for option in ironic.OPTS}
    assert {name: ours[name] for name in SHARED} == {name: theirs[name] for name in SHARED}


def test_what_the_file_says_counts(tmp_path):
    text = "[flocx_filter]\nowner_attribute=owner\nlessee_attribute=lessee\nmirror_lessee_field=true\nmax_age=0\n"
    assert settings_of(configured(tmp_path, text)) == FilterSettings(NodeAttributes("owner", "lessee", True), 0.0, 20.0)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("max_age = soon", "max_age"),
        ("max_age = -1", "max_age"),
        ("lookup_timeout = 0", "lookup_timeout"),
        ("lessee_attribute = project_id", r"\[flocx_filter\] lessee_attribute: 'project_id'"),
        ("mirror_lessee_field = perhaps", "mirror_lessee_field"),
    ],
)
def test_a_wrong_value_is_told_by_its_option(tmp_path, line, words):
    with pytest.raises(ConfigurationInvalid, match=words):
        settings_of(configured(tmp_path, f"[flocx_filter]\n{line}\n"))


def test_every_registered_option_is_in_the_sample():
    conf = cfg.ConfigOpts()
    register(conf)
    ((group, listed),) = list_opts()
    assert group == "flocx_filter"
    assert set(conf[group]) <= {option.dest for option in listed}


def test_every_option_and_every_reason_is_in_the_documentation():
    text = " ".join(page("nova-filter").split())
    for option in OPTS:
        assert f"* - ``{option.name}``" in text
    reasons = {gate._NO_PROJECT, gate._UNKNOWN, decision.UNLISTED} | {
        decision.decide_access(project_id="us", owner_project_id=owner, lessee_project_id=lessee, contested=c).reason
        for owner in (None, "us", "them")
        for lessee in (None, "them", "others")
        for c in (False, True)
        if (owner, lessee) != ("us", None) or c
    }
    assert len(reasons) == 7
    for reason in reasons:
        assert reason in text

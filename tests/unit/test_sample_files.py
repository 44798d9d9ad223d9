# SPDX-License-Identifier: Apache-2.0
"""The generator files in etc/: what operators make their configuration and policy files from."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from flocx_market.conf import opts as market_opts
from flocx_market.policies.rules import list_rules as market_rules
from flocx_provider.conf import opts as provider_opts
from flocx_provider.policies.rules import list_rules as provider_rules
from tests.unit.documented import ROOT

OPTIONS = {"market": market_opts, "provider": provider_opts}
RULES = {"market": market_rules, "provider": provider_rules}
NOTE_SECTIONS = {"prelude", "features", "issues", "upgrade", "deprecations", "critical", "security", "fixes", "other"}


def generated(command, service, kind, directory):
    """Run a generator on a file of etc/ and return what it wrote."""
    output = directory / "sample"
    subprocess.run(
        [
            Path(sys.executable).parent / command,
            "--config-file",
            ROOT / "etc" / f"flocx-{service}" / f"{kind}-generator.conf",
            "--output-file",
            output,
        ],
        check=True,
        capture_output=True,
        cwd=directory,
    )
    return output.read_text()


@pytest.mark.parametrize("service", OPTIONS)
def test_the_sample_configuration_has_every_option_commented_out_in_its_group(service, tmp_path):
    text = generated("oslo-config-generator", service, "config", tmp_path)
    sections = dict(re.findall(r"^\[(\w+)\]\n(.*?)(?=^\[\w+\]\n|\Z)", text, re.MULTILINE | re.DOTALL))
    for group, options in OPTIONS[service].list_opts():
        for option in options:
            assert re.search(rf"^#{option.dest} =", sections[group], re.MULTILINE), f"[{group}] {option.dest}"
    assert not [line for line in text.splitlines() if line and not line.startswith(("#", "["))]
    # What a service reads besides its own options.
    assert {"DEFAULT", "database", "keystone_authtoken", "oslo_policy", "oslo_middleware"} <= set(sections)


@pytest.mark.parametrize("service", OPTIONS)
def test_every_option_has_a_help_that_is_a_sentence(service):
    borrowed = set(OPTIONS[service].CONNECTIONS)
    for group, options in OPTIONS[service].list_opts():
        for option in options:
            assert option.help, f"[{group}] {option.dest}"
            assert group in borrowed or option.help.endswith("."), f"[{group}] {option.dest}"


@pytest.mark.parametrize("service", RULES)
def test_the_sample_policy_has_every_rule_commented_out(service, tmp_path):
    text = generated("oslopolicy-sample-generator", service, "policy", tmp_path)
    for rule in RULES[service]():
        assert f'#"{rule.name}": "{rule.check_str}"' in text
    assert yaml.safe_load(text) is None


def test_samples_are_written_beside_the_files_that_make_them():
    for service in OPTIONS:
        for kind in ("config", "policy"):
            text = (ROOT / "etc" / f"flocx-{service}" / f"{kind}-generator.conf").read_text()
            assert f"output_file = etc/flocx-{service}/" in text


def test_release_notes_have_known_sections_with_text_in_them():
    notes = sorted((ROOT / "releasenotes" / "notes").glob("*.yaml"))
    assert notes
    for note in notes:
        assert re.fullmatch(r"[a-z0-9-]+-[0-9a-f]{16}\.yaml", note.name)
        content = yaml.safe_load(note.read_text())
        assert content.keys() <= NOTE_SECTIONS
        for name, entries in content.items():
            texts = [entries] if name == "prelude" else entries
            assert texts
            assert all(isinstance(text, str) and text.strip() for text in texts)

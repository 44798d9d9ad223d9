# SPDX-License-Identifier: Apache-2.0
"""The samples in etc/ for uWSGI, systemd and nginx against the services that they run."""

from __future__ import annotations

import configparser
import importlib.util
import re
import shutil
import subprocess
from importlib.metadata import entry_points

import pytest
from oslo_config import cfg

from flocx_market import bootstrap
from flocx_market.conf import opts as market_opts
from flocx_provider.conf import opts as provider_opts
from tests.data import CHECKOUT
from tests.unit.documented import blocks, page

OPTIONS = {"market": market_opts, "provider": provider_opts}
UNITS = [f"flocx-{service}-{kind}" for service in OPTIONS for kind in ("api", "manager")]
INSTALLED = "/opt/flocx/bin/"


def defaults(service):
    """Return a service's configuration as it is without a file."""
    conf = cfg.ConfigOpts()
    OPTIONS[service].register(conf)
    conf([])
    return conf


def uwsgi(service):
    """Return uWSGI's options, each with its values."""
    text = (CHECKOUT / "etc" / "uwsgi" / f"flocx-{service}.ini").read_text()
    found: dict[str, list[str]] = {}
    for name, value in re.findall(r"^([a-z-]+) = (.*)$", text, re.MULTILINE):
        found.setdefault(name, []).append(value)
    return found


def unit(name):
    """Return a unit of systemd."""
    parsed = configparser.ConfigParser(interpolation=None, strict=False)
    parsed.optionxform = str
    parsed.read(CHECKOUT / "etc" / "systemd" / f"{name}.service")
    return parsed


def nginx(service):
    """Return nginx's sample for a service."""
    return (CHECKOUT / "etc" / "nginx" / f"flocx-{service}.conf").read_text()


@pytest.mark.parametrize("service", OPTIONS)
def test_uwsgi_serves_the_service_at_its_port_with_threads_to_spare(service):
    options, conf = uwsgi(service), defaults(service)
    module, _, application = options["module"][0].partition(":")
    found = importlib.util.find_spec(module)
    assert found is not None
    assert f"{application}, _ =" in found.loader.get_source(module)
    assert options["http-socket"] == [f"127.0.0.1:{conf.api.port}"]
    assert int(options["threads"][0]) > conf.api.max_long_polls
    assert options["lazy-apps"] == ["true"]
    assert f"FLOCX_{service.upper()}_CONFIG=/etc/flocx/flocx-{service}.conf" in options["env"]


@pytest.mark.parametrize("service", OPTIONS)
def test_the_unit_of_an_api_starts_uwsgi_and_makes_the_directory_of_its_metrics(service):
    found = unit(f"flocx-{service}-api")["Service"]
    assert found["ExecStart"] == f"{INSTALLED}uwsgi --ini /etc/flocx/flocx-{service}-uwsgi.ini"
    assert f"PROMETHEUS_MULTIPROC_DIR=/run/{found['RuntimeDirectory']}" in uwsgi(service)["env"]
    assert found["Type"] == "notify"


@pytest.mark.parametrize("service", OPTIONS)
def test_the_unit_of_a_manager_starts_an_installed_command_and_lets_it_finish(service):
    found = unit(f"flocx-{service}-manager")["Service"]
    program, *words = found["ExecStart"].split()
    commands = {point.name for point in entry_points(group="console_scripts")}
    assert program.removeprefix(INSTALLED) in commands
    assert words == ["--config-file", f"/etc/flocx/flocx-{service}.conf"]
    assert int(found["TimeoutStopSec"]) > defaults(service).manager.stop_timeout


@pytest.mark.parametrize("name", UNITS)
def test_the_units_run_as_a_user_of_their_own_without_privileges(name):
    found = unit(name)["Service"]
    assert found["User"] == "flocx"
    assert found["NoNewPrivileges"] == "yes"
    assert found["CapabilityBoundingSet"] == ""
    assert found["ProtectSystem"] == "strict"
    assert found["Restart"] == "on-failure"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
@pytest.mark.parametrize("name", UNITS)
def test_systemd_takes_the_units(name, tmp_path):
    text = (CHECKOUT / "etc" / "systemd" / f"{name}.service").read_text()
    copy = tmp_path / f"{name}.service"
    # Where FLOCX is not installed, systemd would complain of that alone.
    copy.write_text(
        re.sub(rf"^ExecStart={INSTALLED}\S+", f"ExecStart={shutil.which('true')}", text, flags=re.MULTILINE)
    )
    checked = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", copy], capture_output=True, text=True, check=False
    )
    if "Failed to" in checked.stderr and "bus" in checked.stderr:
        pytest.skip(f"systemd cannot check here: {checked.stderr.strip()}")
    assert (checked.returncode, checked.stderr) == (0, "")


@pytest.mark.parametrize("service", OPTIONS)
def test_nginx_hands_on_to_the_service_and_waits_longer_than_a_request_for_changes(service):
    text, conf = nginx(service), defaults(service)
    assert f"proxy_pass http://127.0.0.1:{conf.api.port};" in text
    assert int(re.search(r"proxy_read_timeout (\d+)s;", text)[1]) > conf.api.max_wait
    assert "client_max_body_size 1m;" in text
    assert conf.api.max_body_size == 1024 * 1024


@pytest.mark.parametrize("service", OPTIONS)
def test_nginx_keeps_metrics_inside_and_speaks_tls_alone(service):
    text = nginx(service)
    assert re.search(r"location = /metrics \{\s*return 404;\s*\}", text)
    listens = re.findall(r"listen (.*);", text)
    assert listens
    assert all(listen.endswith(" ssl") for listen in listens)


@pytest.mark.parametrize("service", OPTIONS)
def test_nginx_lets_no_client_say_where_a_request_came_from(service):
    sent = dict(re.findall(r"proxy_set_header (\S+) (\S+);", nginx(service)))
    assert sent.pop("Host") == "$host"
    assert sent == {
        "X-Forwarded-For": "$remote_addr",
        "X-Forwarded-Proto": "$scheme",
        "X-Forwarded-Host": '""',
        "X-Forwarded-Prefix": '""',
        "Forwarded": '""',
    }


@pytest.mark.skipif(
    shutil.which("nginx") is None or shutil.which("openssl") is None, reason="nginx or openssl is not installed"
)
@pytest.mark.parametrize("service", OPTIONS)
def test_nginx_takes_the_sample(service, tmp_path):
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=x", "-days", "1"),
            *("-keyout", tmp_path / "x.key", "-out", tmp_path / "x.crt"),
        ],
        check=True,
        capture_output=True,
    )
    text = re.sub(rf"/etc/flocx/tls/{service}\.(crt|key)", rf"{tmp_path}/x.\1", nginx(service))
    text = text.replace("listen 443", f"listen unix:{tmp_path}/socket")
    whole = tmp_path / "nginx.conf"
    whole.write_text(
        f"pid {tmp_path}/pid;\nerror_log stderr;\nevents {{}}\nhttp {{\naccess_log off;\n"
        f"client_body_temp_path {tmp_path}/body;\nproxy_temp_path {tmp_path}/proxy;\n"
        f"fastcgi_temp_path {tmp_path}/f;\nuwsgi_temp_path {tmp_path}/u;\nscgi_temp_path {tmp_path}/s;\n{text}\n}}\n"
    )
    checked = subprocess.run(["nginx", "-t", "-c", whole], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr


@pytest.mark.parametrize("name", ["install-exchange", "install-cloud"])
def test_the_installation_guides_name_only_files_of_the_tree(name):
    patterns = set(re.findall(r"\betc/[\w*./-]+", page(name)))
    # What is under /etc is on the operator's machine.
    ours = {pattern for pattern in patterns if f"/{pattern}" not in page(name)}
    assert len(ours) >= 3
    assert {pattern for pattern in ours if not list(CHECKOUT.glob(pattern))} == set()


def test_the_configuration_in_the_exchanges_guide_is_read(tmp_path):
    (block,) = blocks(page("install-exchange"), "ini")
    path = tmp_path / "flocx-market.conf"
    path.write_text(block)
    conf = bootstrap.configuration(["--config-file", str(path)])
    written = configparser.ConfigParser(interpolation=None)
    written.read_string(block)
    known = {group: set(conf[group]) for group in conf._groups} | {"oslo_middleware": {"enable_proxy_headers_parsing"}}
    assert {
        (group, name) for group in written.sections() for name in written[group] if name not in known[group]
    } == set()
    assert conf.api.public_endpoint == "https://market.example.org"

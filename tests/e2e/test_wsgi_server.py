# SPDX-License-Identifier: Apache-2.0
"""The APIs behind a WSGI server of the operator's choice, with several workers."""

from __future__ import annotations

import re
import sys

import requests

from tests.e2e.deployment import await_that

WORKERS = 2


def _requests_counted(url):
    text = requests.get(f"{url}/metrics", timeout=5).text
    return sum(float(value) for value in re.findall(r"^flocx_api_requests_total\{.*\} (\S+)$", text, re.MULTILINE))


def test_several_workers_serve_one_market_and_count_together(deploy, tmp_path):
    deployment = deploy()
    shared = tmp_path / "metrics"
    shared.mkdir()
    address = deployment.market_url.removeprefix("http://")
    deployment.start(
        "gunicorn",
        *(sys.executable, "-m", "gunicorn", "--workers", str(WORKERS), "--threads", "4", "--bind", address),
        "flocx_market.wsgi.api:application",
        FLOCX_MARKET_CONFIG=str(deployment.directory / "market.conf"),
        PROMETHEUS_MULTIPROC_DIR=str(shared),
    )
    deployment.await_ready(deployment.market_url, "gunicorn")
    await_that(lambda: deployment.log("gunicorn").count("Booting worker") == WORKERS, "all workers are there")
    before = _requests_counted(deployment.market_url)
    for _ in range(40):
        # A connection of its own each time, so that all workers get some.
        answer = requests.get(f"{deployment.market_url}/v1/offers", auth=("consumer-a", "consumer-a"), timeout=10)
        assert answer.status_code == 200
    assert _requests_counted(deployment.market_url) - before == 40
    assert deployment.terminate("gunicorn") == 0


def test_the_provider_is_served_by_its_module_path_too(deploy):
    deployment = deploy()
    deployment.start(
        "gunicorn",
        *(sys.executable, "-m", "gunicorn", "--bind", deployment.provider_url.removeprefix("http://")),
        "flocx_provider.wsgi.api:application",
        FLOCX_PROVIDER_CONFIG=str(deployment.directory / "provider.conf"),
    )
    await_that(
        lambda: "Listening at" in deployment.log("gunicorn") and deployment.processes["gunicorn"].poll() is None,
        "gunicorn listens",
    )
    nodes = await_that(lambda: list(deployment.provider("owner-a").nodes()), "nodes are listed")
    assert {node["owner_project_id"] for node in nodes} == {"p-owner-a"}

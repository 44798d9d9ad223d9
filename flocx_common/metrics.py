# SPDX-License-Identifier: Apache-2.0
"""Prometheus metrics of both services, right with several worker processes.

With ``PROMETHEUS_MULTIPROC_DIR`` set, as the Prometheus client wants it, each
worker keeps its figures in that directory and every worker reports the sum.
"""

from __future__ import annotations

import os

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector

REQUESTS = Counter("flocx_api_requests", "Requests served.", ("operation", "method", "status"))
SECONDS = Histogram("flocx_api_request_seconds", "Time to serve a request, in seconds.", ("operation",))
RUNS = Counter("flocx_job_runs", "Runs of a manager's job.", ("job", "outcome"))
RUN_SECONDS = Histogram("flocx_job_run_seconds", "Time a run of a manager's job took, in seconds.", ("job",))
LAST_SUCCESS = Gauge(
    "flocx_job_last_success_timestamp_seconds",
    "When a manager's job last succeeded, in seconds since 1970.",
    ("job",),
    multiprocess_mode="max",
)

#: The content type of the exposition format.
CONTENT_TYPE = CONTENT_TYPE_LATEST


def exposition() -> bytes:
    """Return all metrics of the service in the Prometheus text format."""
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return generate_latest(registry)
    return generate_latest(REGISTRY)

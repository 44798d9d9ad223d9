# SPDX-License-Identifier: Apache-2.0
"""The Prometheus metrics of the services."""

from __future__ import annotations

from prometheus_client.metrics import MetricWrapperBase

from flocx_common import metrics as common
from flocx_docs.rst import literal, table
from flocx_market import metrics as market


def collectors() -> list[MetricWrapperBase]:
    """Return every metric, in the order of the code."""
    found = (value for module in (common, market) for value in vars(module).values())
    return [value for value in found if isinstance(value, MetricWrapperBase)]


def page() -> str:
    """Return the table of metrics."""
    rows = []
    for collector in collectors():
        described = collector.describe()[0]
        name = f"{described.name}_total" if described.type == "counter" else described.name
        labels = ", ".join(literal(label) for label in collector._labelnames)  # noqa: SLF001 - told nowhere else
        rows.append([literal(name), described.type, labels, described.documentation])
    return table(["Metric", "Type", "Labels", "Meaning"], rows, [34, 12, 22, 32])

# SPDX-License-Identifier: Apache-2.0
"""Demand from a trace, replayed in simulated time through the market's own core."""

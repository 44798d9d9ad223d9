# SPDX-License-Identifier: Apache-2.0
"""Drivers: inventories of machines, and the market over HTTP."""

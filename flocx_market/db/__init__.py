# SPDX-License-Identifier: Apache-2.0
"""The market's database: tables, row mappings and queries."""

# SPDX-License-Identifier: Apache-2.0
"""The provider's database: tables, row mappings and queries."""

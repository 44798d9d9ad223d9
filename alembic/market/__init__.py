# SPDX-License-Identifier: Apache-2.0
"""The schema migrations of the market, installed as ``flocx_migrations_market``."""

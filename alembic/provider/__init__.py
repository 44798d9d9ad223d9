# SPDX-License-Identifier: Apache-2.0
"""The schema migrations of the provider, installed as ``flocx_migrations_provider``."""

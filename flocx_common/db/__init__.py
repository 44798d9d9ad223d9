# SPDX-License-Identifier: Apache-2.0
"""The shared database plumbing: engines, types, transactions, lists, changes, migrations."""

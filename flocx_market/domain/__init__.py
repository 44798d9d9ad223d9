# SPDX-License-Identifier: Apache-2.0
"""The rules of the market: pure functions and values, no I/O."""

# SPDX-License-Identifier: Apache-2.0
"""The rules of a provider: pure functions and values, no I/O."""

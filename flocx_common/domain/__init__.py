# SPDX-License-Identifier: Apache-2.0
"""The shared core: values and rules, no I/O and no framework."""

# SPDX-License-Identifier: Apache-2.0
"""The acceptance run: real OpenStack services on this machine, FLOCX deployed on them, and its story played there."""

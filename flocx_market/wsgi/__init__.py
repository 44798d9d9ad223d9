# SPDX-License-Identifier: Apache-2.0
"""WSGI modules of the market."""

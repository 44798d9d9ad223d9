# SPDX-License-Identifier: Apache-2.0
"""Clearing without a service: books from files, for replay and what-if."""

# SPDX-License-Identifier: Apache-2.0
"""The Nova scheduler filter: a project lands on a bare-metal node only while it may use it."""

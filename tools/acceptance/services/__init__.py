# SPDX-License-Identifier: Apache-2.0
"""The OpenStack services of a run, one module each: configuration, what sets up the database, processes."""

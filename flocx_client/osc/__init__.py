# SPDX-License-Identifier: Apache-2.0
"""The OpenStack client plugin: ``openstack flocx``."""

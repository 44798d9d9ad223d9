# SPDX-License-Identifier: Apache-2.0
"""The provider's options, one module a group."""

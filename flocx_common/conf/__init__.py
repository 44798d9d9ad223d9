# SPDX-License-Identifier: Apache-2.0
"""Options that both services have, one module a group."""

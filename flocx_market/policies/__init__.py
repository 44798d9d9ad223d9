# SPDX-License-Identifier: Apache-2.0
"""Who may do what on the market, one module a resource."""

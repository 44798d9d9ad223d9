# SPDX-License-Identifier: Apache-2.0
"""JSON schemas of the market's requests and answers, one module a resource."""

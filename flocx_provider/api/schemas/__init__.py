# SPDX-License-Identifier: Apache-2.0
"""JSON schemas of the provider's requests and answers, one module a resource."""

# SPDX-License-Identifier: Apache-2.0
"""The market's REST API."""

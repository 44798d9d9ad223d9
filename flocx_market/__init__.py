# SPDX-License-Identifier: Apache-2.0
"""The market: offers, bids and contracts of many clouds, and their clearing."""

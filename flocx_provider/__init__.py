# SPDX-License-Identifier: Apache-2.0
"""The provider: one cloud's nodes, offered to the market, handed over and taken back."""

# SPDX-License-Identifier: Apache-2.0
"""The quickstart: a market and two providers on one machine, and a story that is played on them."""

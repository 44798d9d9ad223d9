# SPDX-License-Identifier: Apache-2.0
"""The market's controllers of version 1: authorize, call one service, render."""

# SPDX-License-Identifier: Apache-2.0
"""The market's controllers: authorize, call one service, render."""

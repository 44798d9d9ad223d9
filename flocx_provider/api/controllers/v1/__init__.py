# SPDX-License-Identifier: Apache-2.0
"""The provider's controllers of version 1: authorize, call one service, render."""

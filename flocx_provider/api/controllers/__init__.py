# SPDX-License-Identifier: Apache-2.0
"""The provider's controllers: authorize, call one service, render."""

# SPDX-License-Identifier: Apache-2.0
"""What the market does: one function a use case, in short transactions."""

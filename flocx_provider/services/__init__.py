# SPDX-License-Identifier: Apache-2.0
"""What a provider does: one function a use case, in short transactions."""

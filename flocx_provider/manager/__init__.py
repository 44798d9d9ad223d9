# SPDX-License-Identifier: Apache-2.0
"""What a provider does by itself."""

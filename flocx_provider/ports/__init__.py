# SPDX-License-Identifier: Apache-2.0
"""What a provider's services need of the world around them."""

# SPDX-License-Identifier: Apache-2.0
"""What the market's services need of the world around them."""

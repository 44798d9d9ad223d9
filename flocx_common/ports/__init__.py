# SPDX-License-Identifier: Apache-2.0
"""What both services need of the world around them."""

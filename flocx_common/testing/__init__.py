# SPDX-License-Identifier: Apache-2.0
"""What tests of both services, and of what is built on them, can use."""

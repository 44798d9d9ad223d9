# SPDX-License-Identifier: Apache-2.0
"""The shared REST plumbing: from the socket to a use case and back."""

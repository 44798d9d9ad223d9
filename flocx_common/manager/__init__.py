# SPDX-License-Identifier: Apache-2.0
"""What runs in the background: jobs, woken by changes and by the clock."""

# Before anything that would import eventlet.
from flocx_common import native_threads as native_threads

# SPDX-License-Identifier: Apache-2.0
"""What runs in the background: jobs, woken by changes and by the clock."""

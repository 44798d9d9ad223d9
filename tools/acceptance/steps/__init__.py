# SPDX-License-Identifier: Apache-2.0
"""The steps of a run: the story, then what may go wrong; each module has one."""

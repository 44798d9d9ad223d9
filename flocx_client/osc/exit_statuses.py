# SPDX-License-Identifier: Apache-2.0
"""The exit statuses of ``openstack flocx`` commands. They never change their meaning."""

from __future__ import annotations

#: Everything that was asked for has come about.
DONE = 0
#: Something else than what follows.
FAILED = 1
#: The command line is wrong, or a value on it is one that the service does not take.
USAGE = 2
#: Nothing has the name or UUID, or several things have the name.
NOT_FOUND = 3
#: The credentials are not accepted, or do not allow this.
REFUSED = 4
#: It contradicts the current state; nothing was changed.
CONFLICT = 5
#: A service does not answer, or cannot answer now.
UNREACHABLE = 6
#: What ``--wait`` waited for has not come about in time. It may still.
TIMED_OUT = 7
#: What ``--wait`` waited for can no longer come about.
IN_VAIN = 8
#: Of several things that were asked for, some have come about and some have not.
PARTLY = 9
#: Interrupted from the keyboard.
INTERRUPTED = 130

# SPDX-License-Identifier: Apache-2.0
"""The processes of a run, found by a mark in their environment or by their log (Linux only).

So they are found whatever became of their parents, and whichever process groups they made.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_VARIABLE = "FLOCX_ACCEPTANCE_STATE"
_LISTEN = "0A"
#: Loopback addresses as the kernel writes them: 127.0.0.1, ::1, and 127.0.0.1 mapped into IPv6.
_LOOPBACK = (
    "0100007F",
    "00000000000000000000000001000000",
    "0000000000000000FFFF00000100007F",
)


@dataclass(frozen=True, slots=True)
class Marked:
    """A process that carries the mark."""

    pid: int
    command: str


def mark(state: Path) -> Mapping[str, str]:
    """Return the environment that marks a process as one of the run with this state directory."""
    # The second keeps processes that show a title of their own from writing it over the mark.
    return {_VARIABLE: str(state), "SPT_NOENV": "1"}


def marked_processes(state: Path) -> Sequence[Marked]:
    """Return the processes that carry the mark of this state directory, or write what they print into its logs."""
    found = []
    for entry in _PROC.iterdir():
        if entry.name.isdecimal():
            with suppress(OSError):
                if _is_marked(entry, state):
                    command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                    found.append(Marked(int(entry.name), command.strip()[:200]))
    return found


def _is_marked(entry: Path, state: Path) -> bool:
    if f"{_VARIABLE}={state}".encode() in (entry / "environ").read_bytes().split(b"\0"):
        return True
    return any(os.readlink(entry / "fd" / number).startswith(f"{state}/log/") for number in "12")


def kill_marked(state: Path, timeout: float = 10) -> Sequence[Marked]:
    """Kill all marked processes, and return those that do not end within ``timeout`` seconds."""
    deadline = time.monotonic() + timeout
    while (left := marked_processes(state)) and time.monotonic() < deadline:
        for process in left:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(process.pid, signal.SIGKILL)
        time.sleep(0.05)
    return left


def listening_elsewhere(state: Path) -> Sequence[str]:
    """Return where marked processes listen besides loopback, each as ``COMMAND at ADDRESS:PORT`` of the kernel."""
    sockets = {inode: address for inode, address in _listening() if address.partition(":")[0] not in _LOOPBACK}
    if not sockets:
        return []
    found = []
    for process in marked_processes(state):
        with suppress(OSError):
            for descriptor in (_PROC / str(process.pid) / "fd").iterdir():
                with suppress(OSError):
                    target = str(descriptor.readlink())
                    if target.startswith("socket:[") and (address := sockets.get(target[8:-1])):
                        found.append(f"{process.command} at {address}")
    return sorted(set(found))


def _listening() -> Iterator[tuple[str, str]]:
    """Yield inode and local address of every listening TCP socket."""
    for table in ("tcp", "tcp6"):
        with suppress(OSError):
            for line in (_PROC / "net" / table).read_text(encoding="ascii").splitlines()[1:]:
                columns = line.split()
                if columns[3] == _LISTEN:
                    yield columns[9], columns[1]

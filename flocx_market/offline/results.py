# SPDX-License-Identifier: Apache-2.0
"""Results in a directory: all files of a run, or none."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def together(out: Path) -> Iterator[Path]:
    """Provide a directory whose files go to ``out`` when all is well, and nowhere when it is not."""
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out, prefix=".unfinished-") as name:
        directory = Path(name)
        yield directory
        files = sorted(directory.iterdir())
        for file in files:
            if (out / file.name).is_dir():
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(out / file.name))
        for file in files:
            file.replace(out / file.name)

"""A folder of our own for as long as we run; one that a kill has left is removed by the next."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pipeline.sinks.spill.lock import hold

PREFIX = "dinostream-view-"
LOCK = "lock"


@contextmanager
def scratch() -> Iterator[Path]:
    """Its path; nobody else may look into it, and it is gone behind the block.

    Raises:
        OSError: it cannot be made.
    """
    _sweep(Path(tempfile.gettempdir()))
    folder = Path(tempfile.mkdtemp(prefix=PREFIX))
    held = hold(folder / LOCK)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(held)


def _sweep(place: Path) -> None:
    """Remove folders of ours that nobody holds any more; one without a lock is just being made."""
    for folder in place.glob(f"{PREFIX}*"):
        with suppress(OSError):  # held, another user's, or gone by now
            if folder.is_symlink() or not (folder / LOCK).is_file():
                continue
            held = hold(folder / LOCK)
            shutil.rmtree(folder, ignore_errors=True)
            os.close(held)

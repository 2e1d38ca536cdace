"""The folder in which fetched files are kept, and how processes share it."""

from __future__ import annotations

import fcntl
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

log = logging.getLogger(__name__)


def default_cache_dir() -> Path:
    """Where fetched files live unless told otherwise."""
    return Path.home() / ".cache" / "dinostream"


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """One process at a time makes that file."""
    with path.with_name(f".{path.name}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            log.info("waiting: another process is fetching %s", path.name)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield

"""Whether our database can be written at a path, found out without making one.

Path -> nothing, or a clear error. Knows nothing of what is written to it.
"""

from __future__ import annotations

import os
from pathlib import Path

from operators.errors import UsageError
from pipeline.errors import SinkError
from pipeline.sinks.sqlite.file import open_for_writing


def check_database(path: Path) -> None:
    """Open a database that is there; of one that is not, see that its folder takes it.

    Raises:
        UsageError: there is something else at `path` or above it, or it is of a newer version.
        SinkError: it cannot be written.
    """
    place = path.resolve()
    if os.access(place, os.F_OK):
        open_for_writing(path).close()
        return
    nearest = next(one for one in place.parents if os.access(one, os.F_OK))
    if not nearest.is_dir():
        raise UsageError(f"{path}: {nearest} is a file, not a folder")
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise SinkError(f"{path}: cannot be made: the folder {nearest} is not writable")

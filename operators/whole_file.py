"""A file that is there as a whole or not at all, whatever happens while it is written."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A draft in the same folder, to be written and closed within the block; it takes the file's
    place behind it, readable by whom the user's umask says, and is gone where the block fails.

    Args:
        path: the file; one that is there is replaced.

    Raises:
        OSError: it cannot take the file's place.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        draft.unlink(missing_ok=True)  # of a killed process of that id, as in a container
        draft.touch()
        mode = draft.stat().st_mode
        yield draft
        draft.chmod(mode)  # safetensors' are their owner's alone
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)

"""A folder that belongs to a command, and that one process at a time works in."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from operators.errors import UsageError
from pipeline.errors import SinkError
from pipeline.sinks.spill.lock import hold

TRIES, PAUSE_S = 20, 0.1  # to have the folder alone


@contextmanager
def owned_folder(path: Path, command: str) -> Iterator[None]:
    """The folder is this process's within the block; made where it is missing, with those above it,
    and gone again where the block fails before it holds anything.

    A file in it, `COMMAND.json`, says whose it is.

    Args:
        path: of the folder.
        command: such as `curate`.

    Raises:
        UsageError: there is something else, or another process is at work there.
        SinkError: it cannot be written.
    """
    mark = path / f"{command}.json"
    made = [one for one in (path, *path.parents) if not one.exists()]
    try:
        path.mkdir(parents=True, exist_ok=True)
        if not mark.exists() and any(path.iterdir()):
            raise UsageError(f"{path} holds something else; name another folder with -o")
        held = _held(mark)
        mark.write_text(json.dumps({"kind": f"dinostream {command}", "format": 1}) + "\n")
    except BlockingIOError:
        raise UsageError(f"{path}: another dinostream {command} is at work there") from None
    except OSError as error:
        raise SinkError(f"cannot write {path}: {error.strerror or error}") from error
    try:
        yield
    except BaseException:
        with suppress(OSError):  # what failed is to be told, not this
            if made and list(path.iterdir()) == [mark]:
                mark.unlink()
                for one in made:
                    one.rmdir()
        raise
    finally:
        os.close(held)


def _held(mark: Path) -> int:
    """The lock. A decoder that a killed command was just starting has it a moment longer."""
    for _ in range(TRIES - 1):
        with suppress(BlockingIOError):
            return hold(mark)
        time.sleep(PAUSE_S)
    return hold(mark)

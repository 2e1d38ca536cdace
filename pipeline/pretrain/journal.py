"""What was found so far, a line for each source that is done: a command that was killed goes on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from operators.errors import UsageError
from pipeline.pretrain.found import Found


class Journal:
    """Of one corpus in the making. `close` it.

    Attributes:
        found: by name.
    """

    def __init__(self, path: Path, asked: Mapping[str, Any]) -> None:
        """
        Args:
            path: of its file; gone on with where it is there.
            asked: all that decides what is found, as JSON values.

        Raises:
            UsageError: something else was asked for when it was begun.
            OSError: it cannot be written.
        """
        lines = _whole_lines(path)
        if lines and lines[0] != asked:
            raise UsageError(
                f"{path.parent} holds the beginning of a corpus of other sources or settings; give "
                "those, or another folder, or remove it"
            )
        self.found = {one.name: one for one in map(Found.from_json, lines[1:])}
        self._file = path.open("a", encoding="utf-8")
        if not lines:
            self._write(asked)

    def add(self, found: Found) -> None:
        """A source is done; errors as of a file that cannot be written."""
        self._write(found.to_json())
        self.found[found.name] = found

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def _write(self, values: Mapping[str, Any]) -> None:
        self._file.write(f"{json.dumps(values)}\n")
        self._file.flush()


def _whole_lines(path: Path) -> list[dict[str, Any]]:
    """Those that are there; of one that a kill cut off nothing is left."""
    if not path.exists():
        return []
    data = path.read_bytes()
    whole = data[: data.rfind(b"\n") + 1]
    if len(whole) < len(data):
        with path.open("r+b") as file:
            file.truncate(len(whole))
    return [json.loads(line) for line in whole.splitlines()]

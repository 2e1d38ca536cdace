"""A table's head: what all of its rows have in common, and how many there are.

It is replaced as a whole when rows are added, behind them: what it does not count is not there. So
a table that was being written when its writer was killed is the one before that.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pipeline.errors import TableError
from pipeline.vectors.row import Series

NAME = "vectors.json"
KIND = "dinostream vectors"
FORMAT = 1

Offsets = dict[tuple[str, int], int]
"""As `pipeline.sinks.reading.Offsets`."""


@dataclass(frozen=True, slots=True)
class Head:
    """
    Attributes:
        sink: where the records lie, secrets masked.
        choice: which of them were wanted, JSON values.
        model: architecture and hash of the weights, as records name it.
        dimension: D, of every vector.
        rows: N, how many there are.
        series: that the rows are of, by their numbers.
        marks: what records say that their values must not be taken for: `untrained`,
            `outofdomain`.
        offsets: of the records behind those that were read.
    """

    sink: str
    choice: Mapping[str, Any]
    model: str
    dimension: int
    rows: int = 0
    series: tuple[Series, ...] = ()
    marks: tuple[str, ...] = ()
    offsets: Offsets = field(default_factory=dict)

    @property
    def variants(self) -> tuple[str, ...]:
        """Those of its rows, sorted."""
        return tuple(sorted({one.variant for one in self.series}))

    def write(self, folder: Path) -> None:
        """Put it into a table's folder, whole or not at all, whatever happens to the machine."""
        said = {"kind": KIND, "format": FORMAT, **asdict(self)}
        said["offsets"] = [[*place, offset] for place, offset in self.offsets.items()]
        draft = folder / f"{NAME}.part"
        with draft.open("w") as file:
            json.dump(said, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, folder / NAME)
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def read_head(folder: Path) -> Head:
    """The head of the table in a folder.

    Raises:
        TableError: there is none, or it is something else.
    """
    path = folder / NAME
    try:
        said = json.loads(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        raise TableError(
            f"{folder} holds no vectors (yet); `dinostream index SINK -o {folder}` gathers them"
        ) from None
    except OSError as error:
        raise TableError(f"cannot read {path}: {error.strerror or error}") from None
    except ValueError:
        raise TableError(f"{path} is damaged; remove {folder} and gather it anew") from None
    if not isinstance(said, dict) or said.get("kind") != KIND:
        raise TableError(f"{path} is no head of a table of vectors; name another folder")
    if said.get("format") != FORMAT:
        raise TableError(
            f"{folder} is of format {said.get('format')!r}, this version reads {FORMAT}; remove it "
            "and gather it anew"
        )
    try:
        return _head(said)
    except (KeyError, TypeError, ValueError):
        raise TableError(f"{path} is damaged; remove {folder} and gather it anew") from None


def _head(said: Mapping[str, Any]) -> Head:
    dimension, rows = int(said["dimension"]), int(said["rows"])
    if dimension < 1 or rows < 0:
        raise ValueError(f"{dimension} numbers, {rows} rows")
    return Head(
        str(said["sink"]),
        dict(said["choice"]),
        str(said["model"]),
        dimension,
        rows,
        tuple(Series(*map(str, one)) for one in said["series"]),
        tuple(map(str, said["marks"])),
        {(str(topic), int(partition)): int(at) for topic, partition, at in said["offsets"]},
    )

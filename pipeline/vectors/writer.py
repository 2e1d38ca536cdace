"""Adds blocks of rows to a table: one writer at a time, and each block is there or it is not."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from operators.errors import UsageError
from pipeline.errors import TableError
from pipeline.sinks.spill.lock import hold
from pipeline.vectors.head import NAME, Head, Offsets, read_head
from pipeline.vectors.row import LAYOUT, Row, Series
from pipeline.vectors.table import HALF, NUMBERS, ROWS

LOCK = "lock"


class TableWriter:
    """Of one folder. `close` it.

    Attributes:
        head: of what is there; None before the first block.
    """

    def __init__(self, folder: Path, *, sink: str, choice: Mapping[str, Any]) -> None:
        """Begin a table, or go on with it behind its last whole block.

        Args:
            folder: made where it is missing.
            sink: where the records lie, secrets masked.
            choice: which of them are wanted, JSON values.

        Raises:
            UsageError: the table is of another sink or choice, or the folder is something else's.
            TableError: another process writes it, or it is torn.
        """
        self._folder = folder
        self._begun = Head(sink, choice, "", 1)
        self._lock = _held(folder)
        try:
            self.head = self._found()
            rows, dimension = (self.head.rows, self.head.dimension) if self.head else (0, 1)
            self._numbers = _cut(folder / NUMBERS, rows * dimension * HALF.itemsize)
            self._rows = _cut(folder / ROWS, rows * LAYOUT.itemsize)
        except BaseException:
            os.close(self._lock)
            raise
        self._series = {one: n for n, one in enumerate(self.head.series if self.head else ())}

    @property
    def offsets(self) -> Offsets:
        """Of the records behind those that were read for what is there."""
        return dict(self.head.offsets) if self.head else {}

    def append(
        self,
        rows: Sequence[Row],
        vectors: NDArray[np.float32],
        *,
        model: str,
        marks: Sequence[str] = (),
        offsets: Offsets,
    ) -> int:
        """Add a block, which is on the disk when this returns.

        Args:
            rows: of some records; those that are there already are left out.
            vectors: `[n, D]`, each of length one.
            model, marks, offsets: as of `Head`.

        Returns:
            How many were added.

        Raises:
            TableError: they cannot be written. Nothing more can be added then: close it.
        """
        head = self.head or replace(self._begun, model=model, dimension=vectors.shape[1])
        if not self.head and not rows:
            return 0
        known = len(self._series)
        block = np.array([self._laid_out(row) for row in rows], LAYOUT)
        new = ~self._repeated(block, known)
        made = replace(
            head,
            rows=head.rows + int(new.sum()),
            series=tuple(self._series),
            marks=tuple(sorted({*head.marks, *marks})),
            offsets={**head.offsets, **offsets},
        )
        try:
            _put(self._rows, block[new].tobytes())
            _put(self._numbers, vectors[new].astype(HALF).tobytes())
            made.write(self._folder)
        except OSError as error:
            raise TableError(f"cannot write {self._folder}: {error.strerror or error}") from None
        self.head = made
        return int(new.sum())

    def close(self) -> None:
        """Let go of the folder."""
        for descriptor in (self._numbers, self._rows, self._lock):
            os.close(descriptor)

    def _found(self) -> Head | None:
        if not (self._folder / NAME).exists():
            strangers = sorted(
                one.name
                for one in self._folder.iterdir()
                if one.name not in (LOCK, NUMBERS, ROWS, f"{NAME}.part")
            )
            if strangers:
                raise UsageError(
                    f"{self._folder} holds something else ({strangers[0]}); vectors want a folder "
                    "of their own"
                )
            return None
        head = read_head(self._folder)
        there, wanted = (_told(one) for one in (head, self._begun))
        if there != wanted:
            raise UsageError(
                f"{self._folder} holds {there}, not {wanted}; give the same options, or another "
                "folder"
            )
        return head

    def _laid_out(self, row: Row) -> tuple[int, int, bytes]:
        number = self._series.setdefault(Series(*row.series), len(self._series))
        return row.time_us, number, row.position.encode()

    def _repeated(self, block: NDArray[Any], known: int) -> NDArray[np.bool_]:
        """Which rows of a block the table has: only then is another one of its time and series."""
        found = np.zeros(len(block), np.bool_)
        if not self.head or not self.head.rows or not len(block):
            return found
        shape = (self.head.rows,)
        there = np.memmap(self._folder / ROWS, LAYOUT, mode="r", shape=shape)
        times_us = there["time_us"]
        near = (times_us >= block["time_us"].min()) & (times_us <= block["time_us"].max())
        among = {row.tobytes() for row in there[near]}
        for number in np.flatnonzero(block["series"] < known) if among else ():
            found[number] = block[number].tobytes() in among
        return found


def _told(head: Head) -> str:
    """Of what a table is."""
    chosen = [f"{name} {one}" for name, one in sorted(head.choice.items()) if one or one == 0]
    return f"vectors of {head.sink}, {', '.join(chosen) or 'all of them'}"


def _held(folder: Path) -> int:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return hold(folder / LOCK)
    except BlockingIOError:
        raise TableError(
            f"{folder} is being written by another process; wait for it, or end it"
        ) from None
    except OSError as error:
        raise UsageError(f"cannot write {folder}: {error.strerror or error}") from None


def _cut(path: Path, size_bytes: int) -> int:
    """A file, open behind what the head counts; what lies there is of a block that was torn."""
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR, 0o644)
    try:
        there = os.fstat(descriptor).st_size
        if there < size_bytes:
            raise TableError(
                f"{path} is torn: {there} bytes, {size_bytes} were written; remove {path.parent} "
                "and gather it anew"
            )
        os.ftruncate(descriptor, size_bytes)
        os.lseek(descriptor, 0, os.SEEK_END)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _put(descriptor: int, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[os.write(descriptor, left) :]
    os.fsync(descriptor)

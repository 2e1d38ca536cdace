"""A table of vectors of length one and whose they are, in a folder; read where it lies.

    vectors.json    the head: format, model, D, N, series, where reading stands
    numbers.f16     float16, little-endian `[N, D]`
    rows.bin        `pipeline.vectors.row.LAYOUT` `[N]`

Nothing of it is held in memory. Knows nothing of sinks.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import TableError
from pipeline.vectors.choice import Choice
from pipeline.vectors.head import NAME, Head, read_head
from pipeline.vectors.row import LAYOUT, Row

NUMBERS = "numbers.f16"
ROWS = "rows.bin"
HALF = np.dtype("<f2")

Vectors = NDArray[np.float16]


def is_table(folder: Path) -> bool:
    """Whether a folder holds vectors."""
    return (folder / NAME).is_file()


class Table:
    """One that is there, as it was when it was opened; more may be added to it meanwhile.

    Attributes:
        head: its head.
        matrix: float16 `[N, D]`, each of length one.
    """

    def __init__(self, folder: Path) -> None:
        """
        Args:
            folder: of the table.

        Raises:
            TableError: there is none, or it is torn or something else.
        """
        self.head: Head = read_head(folder)
        shape = (self.head.rows, self.head.dimension)
        self.matrix: Vectors = _mapped(folder / NUMBERS, HALF, shape)
        self._rows = _mapped(folder / ROWS, LAYOUT, shape[:1])
        if len(self) and int(self.series_numbers.max()) >= len(self.head.series):
            raise TableError(f"{folder / ROWS} is damaged; remove {folder} and gather it anew")

    def __len__(self) -> int:
        return self.head.rows

    @cached_property
    def times_us(self) -> NDArray[np.int64]:
        """Event times, microseconds since the epoch, `[N]`."""
        return np.ascontiguousarray(self._rows["time_us"])

    @cached_property
    def series_numbers(self) -> NDArray[np.uint32]:
        """Of every row, which of `head.series` it is of, `[N]`."""
        return np.ascontiguousarray(self._rows["series"])

    def row(self, number: int) -> Row:
        """Whose a vector is."""
        found = self._rows[number]
        series = self.head.series[int(found["series"])]
        return Row(series, bytes(found["position"]).decode(), int(found["time_us"]))

    def chosen(self, choice: Choice) -> NDArray[np.bool_]:
        """Which rows a choice takes, `[N]`."""
        wanted = [
            (not choice.streams or one.stream in choice.streams)
            and (not choice.variants or one.variant in choice.variants)
            for one in self.head.series
        ]
        taken: NDArray[np.bool_] = np.array(wanted, np.bool_)[self.series_numbers]
        if choice.since_us is not None:
            taken &= self.times_us >= choice.since_us
        if choice.until_us is not None:
            taken &= self.times_us < choice.until_us
        return taken

    def variants(self, choice: Choice) -> list[str]:
        """Those of the rows that a choice takes, sorted."""
        there = np.unique(self.series_numbers[self.chosen(choice)]).tolist()
        return sorted({self.head.series[number].variant for number in there})

    def find(self, identity: str) -> int | None:
        """The row of a record's id."""
        parts = identity.split("/")
        if len(parts) != 5 or len(parts[3].encode()) > LAYOUT["position"].itemsize:
            return None
        _, stream, session, position, variant = parts
        wanted = (stream, session, variant)
        numbers = [n for n, one in enumerate(self.head.series) if one == wanted]
        own = np.flatnonzero(self.series_numbers == numbers[0]) if numbers else ()
        places = self._rows["position"][own] == position.encode() if len(own) else ()
        return next((int(own[n]) for n in np.flatnonzero(places)), None)

    def in_order(self) -> NDArray[np.intp]:
        """The numbers of all rows by stream, time and id: the same whatever was read first."""
        rank = np.argsort(sorted(range(len(self.head.series)), key=self.head.series.__getitem__))
        positions = self._rows["position"]
        return np.lexsort((positions, rank[self.series_numbers], self.times_us, self._streams()))

    def _streams(self) -> NDArray[np.intp]:
        names = sorted({one.stream for one in self.head.series})
        return np.array([names.index(one.stream) for one in self.head.series])[self.series_numbers]


def _mapped(path: Path, kind: np.dtype[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    """As many as the head counts; there may be more, which nobody has counted yet."""
    if 0 in shape:
        return np.empty(shape, kind)
    try:
        return np.memmap(path, kind, mode="r", shape=shape)
    except (OSError, ValueError) as error:  # numpy says so where the file is shorter
        raise TableError(
            f"{path} is torn, it should hold {shape[0]} rows ({error}); remove {path.parent} and "
            "gather it anew"
        ) from None

"""Vectors that are compared with each other, in memory, in an order that no sink decides.

A table in -> whose each vector is, and the vectors as `operators.groups` reads them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from operators.groups.grid import Units, unit_rows
from pipeline.errors import NoVectors
from pipeline.vectors.choice import Choice
from pipeline.vectors.head import Head
from pipeline.vectors.row import Row
from pipeline.vectors.table import Table


@dataclass(frozen=True, slots=True)
class Pool:
    """Some rows of a table, by stream, time and id.

    Attributes:
        head: of the table.
        rows: whose the vectors are, N of them.
        times_us: int64 `[N]`, event times, microseconds since the epoch.
        units: float32 `[N, D]`, from `operators.groups.grid.unit_rows`.
    """

    head: Head
    rows: tuple[Row, ...]
    times_us: NDArray[np.int64]
    units: Units

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def by_time(self) -> NDArray[np.intp]:
        """The numbers of its rows by time; at one time as they stand."""
        return np.argsort(self.times_us, kind="stable")

    def number(self, identity: str) -> int | None:
        """Which row is of the record with this id."""
        return next((n for n, row in enumerate(self.rows) if row.id == identity), None)


def pool_of(table: Table, choice: Choice, *, name: str) -> Pool:
    """The rows of a table that were chosen.

    Args:
        table: of vectors that the choice lets be compared, as `pipeline.search.sink_table.opened`
            has it.
        choice: which rows.
        name: what the table is called.

    Raises:
        NoVectors: none was.
    """
    order = table.in_order()
    order = order[table.chosen(choice)[order]]
    if not len(order):
        raise NoVectors(f"{name} has {len(table)} vectors, none of what was asked for")
    rows = tuple(table.row(int(number)) for number in order)
    return Pool(table.head, rows, table.times_us[order], unit_rows(table.matrix[order]))

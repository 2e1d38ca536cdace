"""A question to a table -> its episodes, and the command that shows each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from operators.errors import UsageError
from pipeline.errors import NoVectors
from pipeline.records.filter import unknown_stream
from pipeline.search.episode import Episode, episodes
from pipeline.search.film import film_command
from pipeline.search.moment import row_at, row_of
from pipeline.search.question import direction
from pipeline.search.sink_table import SinkTable
from pipeline.vectors.choice import Choice
from pipeline.vectors.nearest import cosines
from pipeline.vectors.table import Table
from pipeline.view.footage import Footage


@dataclass(frozen=True, slots=True)
class Question:
    """Moments that are asked with.

    Attributes:
        likes: ids of records.
        moments: `STREAM@TIME` each.
        dislikes: ids of records.
    """

    likes: tuple[str, ...] = ()
    moments: tuple[str, ...] = ()
    dislikes: tuple[str, ...] = ()

    @property
    def rows(self) -> bool:
        """Whether there are any."""
        return bool(self.likes or self.moments or self.dislikes)

    def liked(self, table: Table, choice: Choice) -> list[int]:
        """Rows of what is liked; arguments and errors as of `answer`."""
        likes = [row_of(table, one, choice.variants) for one in self.likes]
        return likes + [row_at(table, one, choice.variants) for one in self.moments]


def answer(
    table: Table,
    question: Question,
    seen: Sequence[NDArray[Any]],
    choice: Choice,
    *,
    apart_us: int,
    most: int,
) -> list[Episode]:
    """
    Args:
        table: what is asked.
        question: moments that it is asked with.
        seen: vectors of pictures and clips that it is asked with, `[D]` each.
        choice: which rows may be the answer.
        apart_us, most: as of `episodes`.

    Raises:
        UsageError: no such moment or stream, or what is liked and what is not cancel each other.
        NoVectors: no row may be the answer; or what is asked with is of no variant that was chosen.
    """
    likes = question.liked(table, choice)
    dislikes = [row_of(table, one, choice.variants) for one in question.dislikes]
    wanted = direction([*seen, *table.matrix[likes]], list(table.matrix[dislikes]))
    taken = table.chosen(choice)
    streams = {one.stream for one in table.head.series}  # with moments, all that there are
    if question.rows and (
        unknown := next((one for one in choice.streams if one not in streams), None)
    ):
        raise UsageError(unknown_stream(unknown, streams))
    if not taken.any():
        raise NoVectors(f"of {len(table)} vectors none is of the streams and times asked for")
    known = [*likes, *dislikes]
    scores = cosines(table.matrix, wanted)
    return episodes(table, scores, taken, apart_us=apart_us, most=most, known=known)


def film_commands(found: Sequence[Episode], within: SinkTable, footage: Footage) -> list[str]:
    """What shows each episode.

    Args:
        found: episodes of the table.
        within: where they are.
        footage: that the user has named.
    """
    table = within.table
    whole = table.head.choice.get("since_us") is None  # else it has not how its sessions begin
    first_us = {
        series: int(table.times_us[table.series_numbers == number].min())
        for number, series in enumerate(table.head.series)
        if any(one.best.series == series for one in found)
    }
    sink = within.sink
    return [
        film_command(one, sink, footage, first_us[one.best.series] if whole else None)
        for one in found
    ]

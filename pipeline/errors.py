"""Errors of the pipeline, on top of `operators.errors`.

UsageError                 operators.errors
├── NoDatabase             the sink's file is not there yet; who follows it may wait
├── NoVectors              a sink or a table has no vectors of what was asked for
├── MixedVectors           vectors that cannot be compared, of two models or variants
└── TableError             a table of vectors is absent, torn, held by another, or something else
DinostreamError            operators.errors
├── SourceError            a stream cannot be opened or decoded; the others go on
├── UnreadableRecord       a record is not what its type says, and a strict subscription stops
├── RuntimeFailure         a process or actor of ours died and could not be replaced
└── SinkError              records could not be written or read; what was committed stays
    ├── FencedError        another writer has taken the stream over; this one must stop
    ├── RecordsTooLarge    some records can never be written; nothing was, and the others could be
    └── SinkAway           an outage of the sink was given up: patience is over, or the run is
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from operators.errors import DinostreamError, UsageError

if TYPE_CHECKING:
    from pipeline.records.record import Refused


class NoDatabase(UsageError):
    """Nobody has written the database yet."""


class NoVectors(UsageError):
    """There are no vectors of what was asked for; the text says what there is."""


class MixedVectors(UsageError):
    """Vectors of several models or variants; the text names them, and how to choose."""


class TableError(UsageError):
    """A table of vectors cannot be read or written; the text names its folder."""


class SourceError(DinostreamError):
    """A source cannot be opened, read or decoded. Its text holds no password."""


class UnreadableRecord(DinostreamError):
    """A record is of a type that this version does not know, or broken."""


class RuntimeFailure(DinostreamError):
    """A process or an actor of the job died and could not be replaced."""


class SinkError(DinostreamError):
    """A sink could not write or read in time; nothing is half-written."""


class FencedError(SinkError):
    """A newer writer holds the stream: stop, and never retry."""


class RecordsTooLarge(SinkError):
    """Records that their topics do not take."""

    def __init__(self, message: str, refused: Sequence[Refused] = ()) -> None:
        super().__init__(message)
        self.refused = tuple(refused)


class SinkAway(SinkError):
    """The sink is away and is not waited for any longer; nothing is half-written."""

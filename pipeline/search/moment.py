"""A moment of footage as a user names it -> the row of a table that is of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

import numpy as np

from operators.errors import UsageError
from operators.moment import microseconds
from pipeline.errors import NoVectors
from pipeline.records.filter import unknown_stream
from pipeline.search.when import moment
from pipeline.vectors.choice import Choice
from pipeline.vectors.table import Table

NEAR_US = 5_000_000  # a vector that is farther from a moment is not of it
_SECONDS = re.compile(r"\d{1,12}(\.\d+)?")
_SINCE_BEGINNING = re.compile(r"(\d{1,2}):(\d\d):(\d\d(?:\.\d+)?)")  # as `when.moment` tells it


def row_of(table: Table, identity: str, variants: Sequence[str] = ()) -> int:
    """The row of a record's id.

    Args:
        table: where it is looked for.
        identity: the id.
        variants: that it may be of; any where none is named.

    Raises:
        NoVectors: there is none, or it is of another variant.
    """
    number = table.find(identity)
    if number is None:
        raise NoVectors(
            f"there is no vector of {identity}; `dinostream tail SINK embedding` shows the ids "
            "that there are"
        )
    own = table.row(number).series.variant
    if variants and own not in variants:
        raise NoVectors(
            f"{identity} is of variant {own}, and vectors of {' and '.join(variants)} are "
            f"compared; name --variant {own} too to compare them all the same"
        )
    return number


def row_at(table: Table, where: str, variants: tuple[str, ...] = ()) -> int:
    """The row that is nearest in time to a moment.

    Args:
        table: where it is looked for.
        where: `STREAM@TIME`; TIME is RFC 3339, seconds since the stream's first vector, or
            H:MM:SS as answers tell a moment of a recording of which nobody knows the day.
        variants: that it may be of; any where none is named.

    Raises:
        UsageError: it is no such text, or no such stream.
        NoVectors: there is none of those variants, or none within `NEAR_US`.
    """
    stream, at, text = where.rpartition("@")
    if not (stream and at and text):
        raise UsageError(f"--at takes STREAM@TIME, such as gate@2026-11-29T17:00:00Z; got {where}")
    if stream not in (streams := {one.stream for one in table.head.series}):
        raise UsageError(unknown_stream(stream, streams))
    rows = np.flatnonzero(table.chosen(Choice((stream,), variants)))
    if not len(rows):
        raise NoVectors(f"there is no vector of {stream} of variant {' or '.join(variants)}")
    times_us = table.times_us[rows]
    wanted_us = _moment_us(text, int(times_us.min()))
    apart_us = np.abs(times_us - wanted_us)
    nearest = [int(rows[n]) for n in np.flatnonzero(apart_us == apart_us.min())]
    number = min(nearest, key=lambda one: table.row(one).id)
    if apart_us.min() > NEAR_US:
        there = moment(table.row(number).time_us)
        raise NoVectors(
            f"there is no vector of {stream} within {NEAR_US / 1e6:g} s of {text}; the nearest is "
            f"of {there}"
        )
    return number


def _moment_us(text: str, first_us: int) -> int:
    if _SECONDS.fullmatch(text):
        return first_us + round(float(text) * 1e6)
    if parts := _SINCE_BEGINNING.fullmatch(text):
        hours, minutes, seconds = map(float, parts.groups())
        return round((hours * 3600 + minutes * 60 + seconds) * 1e6)
    try:
        wanted_us = microseconds(datetime.fromisoformat(text))
    except (ValueError, TypeError):  # without a zone it is no moment
        wanted_us = None
    if wanted_us is None:
        raise UsageError(
            f"--at: {text!r} is no time with a zone, such as 2026-11-29T17:00:00Z, nor seconds "
            "since the stream's first vector, nor H:MM:SS as answers tell it"
        )
    return wanted_us

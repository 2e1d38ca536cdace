"""Vectors of frames -> which frame is kept and which only repeats it. Nothing is deleted.

Frames whose cosine reaches the threshold hang together, directly or over others. Of each component
the first frame in time is kept: a later one never takes its place when more footage comes.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from operators.errors import UsageError
from operators.groups.components import components
from operators.groups.grid import Labels, Tell, Units, pair_cosines, untold
from operators.groups.kmeans import assign
from operators.moment import rfc3339
from operators.whole_file import whole_file
from pipeline.vectors.pool import Pool

Verdict = Literal["kept", "duplicate", "dropped"]


@dataclass(frozen=True, slots=True)
class Mark:
    """What is said of one record.

    Attributes:
        verdict: `kept`, a `duplicate`, or `dropped` with the component of a reference picture.
        component: its number.
        of: of a duplicate the record that is kept, of a dropped one the reference picture.
        cosine: with that one, as vectors are compared; None of one that is kept.
    """

    verdict: Verdict
    component: int
    of: str | None = None
    cosine: float | None = None


@dataclass(frozen=True, slots=True)
class Counts:
    """Of all records.

    Attributes:
        kept, duplicate, dropped: how many are.
        over_others: duplicates that are below the threshold with what is kept, and hang together
            with it over others alone.
        largest: records of the largest component.
    """

    kept: int
    duplicate: int
    dropped: int
    over_others: int
    largest: int


def marks(
    units: Units,
    by_time: NDArray[np.intp],
    ids: Sequence[str],
    threshold: float,
    *,
    references: Units | None = None,
    names: Sequence[str] = (),
    tell: Tell = untold,
) -> list[Mark]:
    """Of every record, in their order.

    Args:
        units: `[N, D]`, as they are compared.
        by_time: numbers of the records by time.
        ids: of the records.
        threshold: cosine from which on two are joined.
        references: `[R, D]` of pictures whose components are dropped; None: of none.
        names: of those pictures.
        tell: hears how far it is.
    """
    count = len(units)
    everything = units if references is None else np.concatenate((units, references))
    labels = components(everything, threshold, tell=tell)
    own = labels[:count]
    first = _first_of_each(own, by_time, int(labels.max()) + 1)
    near_first = pair_cosines(units, units, first[own])
    dropped = _dropped(units, references, labels)
    found = []
    for number, component in enumerate(own.tolist()):
        if component in dropped:
            reference, cosine = dropped[component][number]
            found.append(Mark("dropped", component, names[reference], cosine))
        elif first[component] == number:
            found.append(Mark("kept", component))
        else:
            cosine = float(near_first[number])
            found.append(Mark("duplicate", component, ids[first[component]], cosine))
    return found


def counts(found: Sequence[Mark], threshold: float) -> Counts:
    """Of the marks of all records."""
    verdicts = Counter(one.verdict for one in found)
    loose = sum(
        one.verdict == "duplicate" and one.cosine is not None and one.cosine < threshold
        for one in found
    )
    largest = max(Counter(one.component for one in found).values())
    return Counts(verdicts["kept"], verdicts["duplicate"], verdicts["dropped"], loose, largest)


def write_marks(path: Path, pool: Pool, found: Sequence[Mark]) -> None:
    """One line of JSON per record, whole or not at all.

    Raises:
        UsageError: it cannot be written.
    """
    try:
        with whole_file(path) as draft, draft.open("w") as file:
            for line in _lines(pool, found):
                file.write(json.dumps(line) + "\n")
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror or error}") from None


def _lines(pool: Pool, found: Sequence[Mark]) -> Iterator[dict[str, Any]]:
    for row, mark in zip(pool.rows, found, strict=True):
        line: dict[str, Any] = {
            "id": row.id,
            "stream": row.series.stream,
            "time": rfc3339(row.time_us),
            "component": mark.component,
            "verdict": mark.verdict,
        }
        if mark.of is not None and mark.cosine is not None:
            line |= {"of": mark.of, "cosine": round(mark.cosine, 4)}
        yield line


def _first_of_each(own: Labels, by_time: NDArray[np.intp], count: int) -> Labels:
    """The record that is first in time of each component; -1 where it has none."""
    first = np.full(count, -1, np.int64)
    there, at = np.unique(own[by_time], return_index=True)
    first[there] = by_time[at]
    return first


def _dropped(
    units: Units, references: Units | None, labels: Labels
) -> dict[int, dict[int, tuple[int, float]]]:
    """Component of a reference -> of each of its records the nearest reference of it, and the
    cosine."""
    if references is None:
        return {}
    count, found = len(units), {}
    for component in sorted(set(labels[count:].tolist())):
        own = np.flatnonzero(labels[:count] == component)
        among = np.flatnonzero(labels[count:] == component)
        nearest, near = assign(units[own], references[among].astype(np.float64))
        found[component] = {
            number: (int(among[at]), cosine)
            for number, at, cosine in zip(
                own.tolist(), nearest.tolist(), near.tolist(), strict=True
            )
        }
    return found

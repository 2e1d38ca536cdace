"""Candidates of all recordings in one order, whatever the order of the recordings was, and what was
decided on each.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.curate.harvest import Candidate, Harvest
from pipeline.curate.screening import Screen, screened
from pipeline.curate.selection import Candidates, Decision


@dataclass(frozen=True, slots=True)
class Entry:
    """One candidate.

    Attributes:
        stream: its recording's name.
        source: where that lies, secrets masked.
        candidate: the frame.
    """

    stream: str
    source: str
    candidate: Candidate

    @property
    def name(self) -> str:
        return f"{self.stream}/{self.candidate.session}/{self.candidate.position}"

    @property
    def file(self) -> str:
        """Of its picture."""
        return f"{self.stream}-{self.candidate.session}-{self.candidate.position}.jpg"


@dataclass(frozen=True, slots=True)
class Chosen:
    """An entry and what was decided on it."""

    entry: Entry
    decision: Decision


def entries_of(harvests: Sequence[Harvest]) -> list[Entry]:
    """By content first, so that names change nothing."""
    return [
        Entry(one.stream, one.source, candidate)
        for one in _in_order(harvests)
        for candidate in one.candidates
    ]


def candidates_of(
    harvests: Sequence[Harvest], entries: Sequence[Entry], screen: Screen | None, name: str
) -> Candidates:
    """What is decided on.

    Args:
        harvests: one at least.
        entries: from `entries_of`.
        screen: the user's filter; None: there is none.
        name: of the filter.

    Raises:
        DinostreamError: the filter fails.
        UsageError: it gives something that is no answer.
    """
    times = [(one.candidate.time_us, one.stream, row) for row, one in enumerate(entries)]
    return Candidates(
        np.concatenate([one.units for one in _in_order(harvests)]),
        [one.name for one in entries],
        np.array([row for _, _, row in sorted(times)], np.intp),
        list(_refusals(entries, screen, name)),
    )


def _refusals(entries: Sequence[Entry], screen: Screen | None, name: str) -> Iterator[str | None]:
    for one in entries:
        yield screen and screened(screen, one.candidate.jpeg, name=name, what=one.name)


def _in_order(harvests: Sequence[Harvest]) -> list[Harvest]:
    def content(one: Harvest) -> tuple[str, str]:
        return one.candidates[0].session if one.candidates else "", one.stream

    return sorted(harvests, key=content)

"""Candidates of recordings, made without footage."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from operators.groups.grid import unit_rows
from operators.jpeg import jpeg
from pipeline.curate.harvest import Candidate, Harvest
from pipeline.features.taking import Counted


def flat(level: int) -> NDArray[np.uint8]:
    """A picture `[48, 64, 3]` of one grey."""
    return np.full((48, 64, 3), level, np.uint8)


def harvested(
    vectors: NDArray[Any],
    stream: str = "gate",
    session: str = "",
    *,
    times_s: Sequence[float] = (),
    outcome: str = "ok",
) -> Harvest:
    count = len(vectors)
    candidates = tuple(
        Candidate(
            session or f"{sum(stream.encode()):012x}",
            str(number * 512),
            round((times_s[number] if times_s else float(number)) * 1e6),
            jpeg(flat(30 + number % 200), (48, 64), 90),
        )
        for number in range(count)
    )
    counted = Counted(decoded=10 * count, looked_at=5 * count, shots=count)
    again = outcome != "ok"
    return Harvest(
        *(stream, f"/films/{stream}", outcome, "" if outcome == "ok" else "torn", again),
        counted,
        candidates,
        unit_rows(np.asarray(vectors).reshape(count, -1) if count else np.zeros((0, 8))),
    )


@pytest.fixture(scope="session", name="harvested")
def harvested_fixture() -> Callable[..., Harvest]:
    """`harvested(vectors, "gate", times_s=[...])`: what a recording gave."""
    return harvested

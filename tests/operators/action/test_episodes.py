"""Episodes: hysteresis over windows, one at a time, resumed at any window."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from operators.action.episodes import Episode, Episodes, Hysteresis
from operators.frames import FrameInfo

RULE = Hysteresis((None, 0.5, 0.6), leave=0.5)  # class 0 is the background


def told(frame: Callable[..., FrameInfo], rows: list[list[float]]) -> list[tuple[Any, ...]]:
    """(label, first window, last window, peak, window of the peak) of every episode."""
    episodes = Episodes(RULE)
    over = [episodes.push((frame(4 * n), frame(4 * n + 7)), row) for n, row in enumerate(rows)]
    over.append(episodes.flush())
    return [plain(one) for one in over if one]


def plain(one: Episode) -> tuple[Any, ...]:
    numbers = [int(info.position) // 18_000 for info in (one.start, one.end, one.peak_at)]
    first, last, peak = numbers[0] // 4, (numbers[1] - 7) // 4, (numbers[2] - 7) // 4
    assert one.windows == last - first + 1
    return one.label, first, last, one.peak, peak


@pytest.mark.parametrize(
    ("rows", "want"),
    [
        ([[0.9, 0.1, 0.0]] * 3, []),
        ([[0.1, 0.49, 0.41]] * 3, []),  # nothing reaches its threshold
        ([[0.3, 0.7, 0.0], [0.7, 0.3, 0.0], [0.2, 0.8, 0.0]], [(1, 0, 2, 0.8, 2)]),  # 0.3 >= 0.25
        (
            [[0.3, 0.7, 0.0], [0.8, 0.2, 0.0], [0.2, 0.8, 0.0]],
            [(1, 0, 0, 0.7, 0), (1, 2, 2, 0.8, 2)],
        ),
        ([[0.0, 0.7, 0.3], [0.0, 0.4, 0.6]], [(1, 0, 0, 0.7, 0), (2, 1, 1, 0.6, 1)]),
        ([[0.0, 0.7, 0.3], [0.0, 0.45, 0.55]], [(1, 0, 1, 0.7, 0)]),  # leads, and not enough
    ],
)
def test_hysteresis(
    frame: Callable[..., FrameInfo], rows: list[list[float]], want: list[tuple[Any, ...]]
) -> None:
    assert told(frame, rows) == want


def test_resumed_at_every_window(frame: Callable[..., FrameInfo]) -> None:
    rows = [[0.3, 0.7, 0.0], [0.6, 0.4, 0.0], [0.9, 0.1, 0.0], [0.1, 0.2, 0.7], [0.1, 0.9, 0.0]]
    want = told(frame, rows)
    assert len(want) == 3
    for stop in range(len(rows) + 1):
        episodes = Episodes(RULE)
        over = []
        for number, row in enumerate(rows):
            if number == stop:
                state = episodes.to_json()
                episodes = Episodes(RULE, Episode.from_json(state) if state else None)
            over.append(episodes.push((frame(4 * number), frame(4 * number + 7)), row))
        over.append(episodes.flush())
        assert [plain(one) for one in over if one] == want


def test_leave_is_a_share() -> None:
    with pytest.raises(ValueError, match=r"leave must be from 0 to 1, got 1\.5"):
        Hysteresis((0.5,), leave=1.5)

"""Labelled recordings and their features -> the windows that an action head is trained on.

Windows lie as a run's windows lie. A window belongs to the class that more than half of its frames
have; where there is none it is left out. Knows nothing of decoding or training.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from operators.action.episodes import BACKGROUND
from operators.errors import UsageError
from operators.learn.examples import Examples, window_rows
from pipeline.fit.spans import Labelled
from pipeline.stream.sampling import GapDetector, Sampling

_BEYOND_S = 1.0  # a span may end so much after the last frame: people round up

Floats = NDArray[np.float32]
Group = Callable[["Seen", int], str]
"""What the window that begins at this row of a recording belongs to."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One labelled recording as the backbone saw it.

    Attributes:
        labelled: its name and spans.
        content: what identifies what is in it, wherever it lies.
        parts: tokens of frames `[n, P, D]`, see `operators.learn.examples`.
        cells: float16 `[n, C, D]`, likewise; None of published embeddings.
        times_s: `[n]` since its first frame.
        times_us: `[n]` event times.
        clock: what event times are anchored to.
        breaks: rows before which the footage breaks.
        duration_s: of the recording.
    """

    labelled: Labelled
    content: str
    parts: Floats
    times_s: NDArray[np.float64]
    times_us: NDArray[np.int64]
    clock: str
    breaks: tuple[int, ...]
    duration_s: float
    cells: NDArray[np.float16] | None = None


@dataclass(frozen=True, slots=True)
class Cut:
    """How recordings are cut into windows.

    Attributes:
        fps: that their frames were sampled at.
        frames: T.
        stride: frames from one window's start to the next one's.
        mean_patch: the last part of a frame is its mean patch.
        unit: frames' vectors are divided by their length.
    """

    fps: float
    frames: int
    stride: int
    mean_patch: bool = True
    unit: bool = False


@dataclass(slots=True)
class _Pile:
    parts: list[Floats] = field(default_factory=list)
    rows: list[list[int]] = field(default_factory=list)
    present: list[int] = field(default_factory=list)
    targets: list[int] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)
    cells: list[NDArray[np.float16]] = field(default_factory=list)
    frames: int = 0
    mixed: int = 0


def windows_of(
    seen: Sequence[Seen], labels: Sequence[str], cut: Cut, group: Group
) -> tuple[Examples, int]:
    """The windows of all recordings, and how many were left out because no class has half of them.

    Args:
        seen: the recordings.
        labels: names of the classes, in the order of their ids.
        cut: how they are cut.
        group: what a window belongs to.

    Raises:
        UsageError: a span beyond the end of its recording, or a class without a window.
    """
    pile = _Pile()
    for one in seen:
        _refuse_beyond(one)
        _add(pile, one, list(labels), cut, group)
    missing = sorted(set(range(len(labels))) - set(pile.targets))
    if missing:
        named = ", ".join(labels[number] for number in missing)
        raise UsageError(
            f"no window of {cut.frames} frames at {cut.fps:g} frames/s is mostly {named}; longer "
            "spans, more frames per second or shorter windows would help"
        )
    examples = Examples(
        np.concatenate(pile.parts),
        cut.mean_patch,
        np.array(pile.rows, dtype=np.int64),
        np.array(pile.present, dtype=np.int64),
        np.array(pile.targets, dtype=np.int64),
        tuple(pile.groups),
        tuple(labels),
        cut.unit,
        np.concatenate(pile.cells) if len(pile.cells) == len(seen) else None,
    )
    return examples, pile.mixed


def by_file(seen: Seen, row: int) -> str:
    """The recording; copies of it are one, so that they never part."""
    return seen.content


def by_day(seen: Seen, row: int) -> str:
    """The day on which the window begins, UTC.

    Raises:
        UsageError: nobody knows when the recording was made.
    """
    if seen.clock == "media":
        raise UsageError(
            f"{seen.labelled.name}: does not say when it was recorded, so there is no split by "
            "day; use --split file"
        )
    return datetime.fromtimestamp(int(seen.times_us[row]) / 1e6, UTC).date().isoformat()


def has_background(seen: Sequence[Seen], cut: Cut) -> bool:
    """Whether some window is mostly time without a label, or labelled background."""
    return any(label == BACKGROUND for one in seen for _, _, label in _windows(one, cut))


def _add(pile: _Pile, one: Seen, labels: list[str], cut: Cut, group: Group) -> None:
    for first, present, label in _windows(one, cut):
        if label is None:
            pile.mixed += 1
        elif label in labels:
            steps = (min(step, present - 1) for step in range(cut.frames))
            pile.rows.append([pile.frames + first + step for step in steps])
            pile.present.append(present)
            pile.targets.append(labels.index(label))
            pile.groups.append(group(one, first))
    pile.parts.append(one.parts)
    if one.cells is not None:
        pile.cells.append(one.cells)
    pile.frames += len(one.parts)


def _windows(one: Seen, cut: Cut) -> Iterator[tuple[int, int, str | None]]:
    """First row, frames and label of every window."""
    named = _of_frames(one)
    for begin, end in _runs(one, cut.fps):
        for offset, present in window_rows(end - begin, cut.frames, cut.stride):
            first = begin + offset
            yield first, present, _majority(named[first : first + present])


def _of_frames(one: Seen) -> list[str]:
    """The label of every frame."""
    named = [BACKGROUND] * len(one.times_s)
    for span in one.labelled.spans:
        inside = (one.times_s >= span.start_s) & (one.times_s < span.end_s)
        for row in np.flatnonzero(inside):
            named[row] = span.label
    return named


def _majority(named: Sequence[str]) -> str | None:
    """The label of more than half."""
    most = max(sorted(set(named)), key=named.count)
    return most if 2 * named.count(most) > len(named) else None


def _runs(one: Seen, fps: float) -> list[tuple[int, int]]:
    """First and last row (exclusive) between the moments at which a run forgets the past."""
    detector = GapDetector(Sampling("fps", fps))
    gaps = [row for row, time_us in enumerate(one.times_us) if detector.is_gap(int(time_us))]
    edges = sorted({0, *one.breaks, *gaps, len(one.times_us)})
    return list(pairwise(edges))


def _refuse_beyond(one: Seen) -> None:
    for span in one.labelled.spans:
        over = span.start_s >= one.duration_s or (
            span.end_s != float("inf") and span.end_s > one.duration_s + _BEYOND_S
        )
        if over:
            where = f" (line {span.line})" if span.line else ""
            raise UsageError(
                f"{one.labelled.name}: {span.label} from {span.start_s:g} s to {span.end_s:g} s"
                f"{where} lies beyond its end, at {one.duration_s:.1f} s"
            )

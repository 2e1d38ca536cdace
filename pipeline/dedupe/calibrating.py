"""Frames and copies of them that we make -> the comparison and the threshold that tell them apart.

What is done to vectors is fitted on half of the footage and measured on the other half, and the
other way round; pairs of both are judged together. In the end it is fitted on all of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from operators.errors import DinostreamError, UsageError
from operators.groups.grid import Units, blocks, cosines, pair_cosines
from operators.groups.whitening import Whitening, centring, whitening
from pipeline.dedupe.alterations import Alter
from pipeline.dedupe.calibration import Calibration, Comparison
from pipeline.dedupe.looking import Look
from pipeline.dedupe.measuring import (
    THRESHOLDS,
    Point,
    chosen,
    curve,
    most_precise,
    reached,
)
from pipeline.dedupe.moments import Moments

_TOGETHER = 512  # copies that are compared with all frames at once
COMPARISONS: tuple[Comparison, ...] = ("raw", "centred", "whitened")


@dataclass(slots=True)
class Copies:
    """Vectors of frames and of their copies, N frames.

    Attributes:
        originals: `[N, D]`.
        altered: by alteration, `[N, D]`.
        recordings: which each frame is of, `[N]`.
        times_s: of each, `[N]`.
        second: whether it is of the second half of its recording, `[N]`.
    """

    originals: Units
    altered: Mapping[str, Units]
    recordings: NDArray[np.int64]
    times_s: NDArray[np.float64]
    second: NDArray[np.bool_]


@dataclass(slots=True)
class Pairs:
    """Cosines of pairs whose truth is known.

    Attributes:
        copies: by alteration, of a frame's copy with the frame.
        others: how many there are of a copy with frames that show something else.
        reached: how many of those are at least each threshold; the cosines themselves, of the pairs
            of thousands of frames, would take gigabytes.
    """

    copies: dict[str, list[NDArray[np.float64]]] = field(default_factory=dict)
    others: int = 0
    reached: NDArray[np.int64] = field(default_factory=lambda: np.zeros(len(THRESHOLDS), np.int64))

    def points(self) -> list[Point]:
        """Of all of them."""
        every = [one for found in self.copies.values() for one in found]
        return curve(np.concatenate(every), self.reached)

    def recalls(self, threshold: float) -> dict[str, float]:
        """By alteration."""
        return {
            name: float((np.concatenate(found) >= threshold).mean())
            for name, found in self.copies.items()
        }


def copies_of(
    recordings: Iterable[Moments], alterations: Mapping[str, Alter], look: Look
) -> Copies:
    """Make the copies and look at everything.

    Args:
        recordings: those without a frame are left out.
        alterations: what is done, by name.
        look: the backbone.

    Raises:
        UsageError: fewer than two frames in a half of the footage.
    """
    originals, of, times_s, second = [], [], [], []
    altered: dict[str, list[Units]] = {name: [] for name in alterations}
    for number, one in enumerate(recordings):
        if not one.pictures:
            continue
        originals.append(look(one.pictures))
        for name, alter in alterations.items():
            altered[name].append(look([alter(picture) for picture in one.pictures]))
        count = len(one.pictures)
        of += [number] * count
        times_s += one.times_s
        second += [2 * place >= count for place in range(count)]
    if sum(second) < 2 or len(second) - sum(second) < 2:
        raise UsageError(
            f"{len(second)} frames are too few to calibrate with; give more footage, or a higher "
            "--fps"
        )
    return Copies(
        np.concatenate(originals),
        {name: np.concatenate(found) for name, found in altered.items()},
        np.array(of, np.int64),
        np.array(times_s),
        np.array(second),
    )


def calibrated(
    copies: Copies, *, model: str, short_side: int, precision: float, apart_s: float
) -> Calibration:
    """The comparison that finds most copies at a precision, and its threshold.

    Args:
        copies: from `copies_of`.
        model: that looked, as records name it.
        short_side: of a frame at it, pixels.
        precision: of the pairs that are found, so many must be copies.
        apart_s: frames of one recording show something else where they are so far apart; nearer
            ones are not judged, and those of two recordings always are.

    Raises:
        UsageError: no pair of frames that shows something else.
        DinostreamError: no threshold has that precision.
    """
    measured = {one: _pairs(copies, one, apart_s) for one in COMPARISONS}
    curves = {one: pairs.points() for one, pairs in measured.items()}
    found = {one: point for one in COMPARISONS if (point := chosen(curves[one], precision))}
    if not found:
        best = max((most_precise(one) for one in curves.values()), key=lambda one: one.precision)
        raise DinostreamError(
            f"no threshold has a precision of {precision:g}: at best {best.precision:.3f} of the "
            f"pairs that {model} finds alike are copies (recall {best.recall:.2f}). Other weights "
            "may tell them apart; --precision asks for less; --apart says which frames of one "
            "recording show something else"
        )
    best_one = max(found, key=lambda one: found[one].recall)  # of equals the simplest
    point, pairs = found[best_one], measured[best_one]
    return Calibration(
        model=model,
        short_side=short_side,
        comparison=best_one,
        wanted=precision,
        point=point,
        recalls=pairs.recalls(point.threshold),
        pairs={
            "copies": len(copies.altered) * len(copies.originals),
            "others": pairs.others,
            "frames": len(copies.originals),
            "recordings": len(set(copies.recordings.tolist())),
        },
        points=tuple(curves[best_one]),
        whitening=_fitted(best_one, copies.originals),
    )


def _pairs(copies: Copies, comparison: Comparison, apart_s: float) -> Pairs:
    pairs = Pairs({name: [] for name in copies.altered})
    for judged in (copies.second, ~copies.second):
        turned = _fitted(comparison, copies.originals[~judged])
        originals = _turned(turned, copies.originals[judged])
        of, times_s = copies.recordings[judged], copies.times_s[judged]
        for name, altered in copies.altered.items():
            turned_copies = _turned(turned, altered[judged])
            own = np.arange(len(originals))
            pairs.copies[name].append(pair_cosines(turned_copies, originals, own))
            for rows in blocks(len(originals), _TOGETHER):
                far = np.abs(times_s[rows, None] - times_s[None]) >= apart_s
                differ = (of[rows, None] != of[None]) | far
                others = cosines(turned_copies[rows], originals)[differ]
                pairs.others += len(others)
                pairs.reached += reached(others)
    if not pairs.others:
        raise UsageError(
            "no two frames are known to show something else: give a second recording, or an "
            f"--apart below {apart_s:g} s"
        )
    return pairs


def _fitted(comparison: Comparison, originals: Units) -> Whitening | None:
    if comparison == "raw":
        return None
    return centring(originals) if comparison == "centred" else whitening(originals)


def _turned(turned: Whitening | None, units: Units) -> Units:
    return units if turned is None else turned(units)

"""Which detection is which track: costs of all pairs, and the cheapest way to pair them.

Tracks as they are expected and detections of a frame in -> pairs out. A cost is how unlikely the
pair is: by its place, as far as that can be told, by its shape, its looks and its label, and by how
sure the detection is. docs/track.md says where the numbers come from.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from operators.track.motion import Motion
from operators.track.sightings import Sightings

if TYPE_CHECKING:
    from operators.track.track import Track

MOST = 10.0  # a pair that costs more is none
SHAPE_OFF = 0.5  # logarithm of a width or height, standard deviation
LOOKS = 20.0  # cost of looks that have nothing in common
OTHER_LABEL = 4.0
UNSURE = 8.0  # cost of a score of 0
FAR = 4.0  # standard deviations beyond which no looks help

Numbers = NDArray[np.float64]


def pairs(
    tracks: Sequence[Track], expected: Sequence[Motion], sightings: Sightings
) -> list[tuple[int, int]]:
    """Which track is seen in which detection, in the order of the tracks.

    The sum of all costs is least, where a track without a detection costs `MOST`. Of several ways
    that cost the same the same one is taken always.

    Args:
        tracks: in any order that does not change from run to run.
        expected: where each of them should be.
        sightings: what is there.
    """
    if not tracks or not len(sightings):
        return []
    costs = np.minimum(_costs(tracks, expected, sightings), MOST)
    rows, columns = linear_sum_assignment(costs)
    found = zip(rows.tolist(), columns.tolist(), strict=True)
    return [(row, column) for row, column in found if costs[row, column] < MOST]


def _costs(tracks: Sequence[Track], expected: Sequence[Motion], sightings: Sightings) -> Numbers:
    """`[tracks, N]`."""
    there = np.array([(one.x, one.y, one.width, one.height) for one in expected])[:, None]
    variance = np.array([one.variance for one in expected])[:, None]
    size = np.sqrt(there[..., 2] * there[..., 3])
    left, top, right, bottom = sightings.boxes.astype(np.float64).T
    here = np.stack(
        ((left + right) / 2, (top + bottom) / 2, _side(left, right), _side(top, bottom)), axis=1
    )
    off = ((there - here)[..., :2] ** 2).sum(axis=2) / (size**2 * variance)
    place = off / 2 + np.log1p(variance)
    shape = (np.log(there[..., 2:] / here[:, 2:]) ** 2).sum(axis=2) / (2 * SHAPE_OFF**2)
    labels = np.array([one.label for one in tracks])[:, None] != sightings.labels
    unsure = UNSURE * (1 - sightings.scores.astype(np.float64))
    costs: Numbers = (
        place + shape + unsure + OTHER_LABEL * labels + LOOKS * _unlike(tracks, sightings)
    )
    costs[off > FAR**2] = np.inf
    return costs


def _side(low: Numbers, high: Numbers) -> Numbers:
    return np.maximum(high - low, 1.0)


def _unlike(tracks: Sequence[Track], sightings: Sightings) -> Numbers:
    """1 less the cosine of looks. No BLAS: how that rounds depends on its threads."""
    looks = np.stack([one.look for one in tracks]).astype(np.float64)
    length = np.sqrt(np.einsum("td,td->t", looks, looks))[:, None]
    alike = np.einsum("td,nd->tn", looks, sightings.looks.astype(np.float64))
    return 1 - alike / np.maximum(length, 1e-9) if looks.shape[1] else np.zeros(alike.shape)

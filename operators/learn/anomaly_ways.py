"""Ways to say how unlike the usual a cell is: patches of a backbone, and pixels alone.

Usual pictures in -> a function of pictures `[n, H, W, 3]` -> distances `[n, h, w]` out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from operators.anomaly.memory import PROTOTYPES, Memory
from operators.backbones.backbone import Backbone
from operators.frames import FrameBatch, FrameInfo
from operators.learn.k_centre import k_centres
from operators.weights.heads import Head

Pictures = NDArray[np.uint8]
Distances = Callable[[Pictures], NDArray[np.float64]]

_LUMA = np.array([0.299, 0.587, 0.114])
_LEAST_DEVIATION = 1.0  # of a cell's luma, levels: a sensor has more noise than this
_TOGETHER = 64  # frames that a memory is learnt from at once
_TOP = 100  # one cell in so many makes a frame's score


class Way(Protocol):
    """Learns what is usual."""

    def learn(self, usual: Pictures) -> Distances: ...


class OfPatches:
    """What the operator `anomaly` does."""

    def __init__(self, backbone: Backbone, prototypes: int) -> None:
        """`prototypes`: of each place."""
        self._backbone, self._prototypes = backbone, prototypes

    def learn(self, usual: Pictures) -> Distances:
        """From pictures uint8 `[n, H, W, 3]` at the backbone's size."""
        seen = self._patches(usual)
        parts = [seen[first : first + _TOGETHER] for first in range(0, len(seen), _TOGETHER)]
        centres = k_centres(lambda: parts, self._prototypes, tell=lambda _: None)
        head = Head("anomaly", "usual pictures", {PROTOTYPES: centres.half()}, "0" * 64)
        memory = Memory(head, self._backbone.loaded.model.architecture)

        def distances(pictures: Pictures) -> NDArray[np.float64]:
            # Frame by frame, as an operator on a CPU.
            told = [memory.distances(one[None]) for one in self._patches(pictures)]
            return torch.cat(told).numpy().astype(np.float64)

        return distances

    def _patches(self, pictures: Pictures) -> Tensor:
        size = self._backbone.batch_size
        found = []
        for first in range(0, len(pictures), size):
            some = pictures[first : first + size]
            infos = (FrameInfo.of_picture(),) * len(some)
            found.append(self._backbone(FrameBatch(infos, some)).patches[: len(some)].float())
        return torch.cat(found)


class OfPixels:
    """Mean and deviation of each cell's luma, in deviations from what they usually are."""

    def __init__(self, patch: int) -> None:
        """`patch`: side of a cell, pixels."""
        self._patch = patch

    def learn(self, usual: Pictures) -> Distances:
        """From pictures uint8 `[n, H, W, 3]`, both sides multiples of a cell's."""
        return self.learn_all([usual])

    def learn_all(self, usual: Iterable[Pictures]) -> Distances:
        """The same, of more than fit into memory at once."""
        count, total, squares = 0, np.float64(0), np.float64(0)
        for some in usual:
            numbers = self._numbers(some)
            count += len(numbers)
            total = total + numbers.sum(axis=0)
            squares = squares + (numbers**2).sum(axis=0)
        mean = total / count
        spread = np.sqrt(np.maximum(squares / count - mean**2, _LEAST_DEVIATION**2))

        def distances(pictures: Pictures) -> NDArray[np.float64]:
            far = (self._numbers(pictures) - mean) / spread
            told: NDArray[np.float64] = np.sqrt((far**2).sum(axis=-1))
            return told

        return distances

    def _numbers(self, pictures: Pictures) -> NDArray[np.float64]:
        """`[n, h, w, 2]`."""
        luma, side = pictures @ _LUMA, self._patch
        count, height, width = luma.shape
        cells = luma.reshape(count, height // side, side, width // side, side)
        return np.stack((cells.mean(axis=(2, 4)), cells.std(axis=(2, 4))), axis=-1)


def frame_scores(distances: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of frames `[n]`: the mean of the highest hundredth of their cells `[n, h, w]`
    (AnomalyDINO, arXiv 2405.14529)."""
    flat = np.sort(distances.reshape(len(distances), -1), axis=1)
    found: NDArray[np.float64] = flat[:, -max(1, flat.shape[1] // _TOP) :].mean(axis=1)
    return found

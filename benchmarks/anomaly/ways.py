"""Ways to say how unlike the usual a cell is: patches of a backbone, and pixels alone.

Usual pictures in -> a function of pictures `[n, H, W, 3]` -> distances `[n, h, w]` out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from benchmarks.anomaly.cameras import PATCH
from benchmarks.anomaly.spoilt import Pictures
from operators.anomaly.memory import PROTOTYPES, Memory
from operators.backbones.backbone import Backbone
from operators.frames import FrameBatch, FrameInfo
from operators.learn.k_centre import k_centres
from operators.weights.heads import Head

Distances = Callable[[Pictures], NDArray[np.float64]]

_LUMA = np.array([0.299, 0.587, 0.114])
_LEAST_DEVIATION = 1.0  # of a cell's luma, levels: a sensor has more noise than this


class Way(Protocol):
    """Learns what is usual."""

    def learn(self, usual: Pictures) -> Distances: ...


class OfPatches:
    """What the operator does."""

    def __init__(self, backbone: Backbone, prototypes: int) -> None:
        self._backbone, self._prototypes = backbone, prototypes

    def learn(self, usual: Pictures) -> Distances:
        seen = self._patches(usual)
        centres = k_centres(lambda: seen.split(64), self._prototypes, tell=lambda _: None)
        head = Head("anomaly", "benchmark", {PROTOTYPES: centres.half()}, "0" * 64)
        memory = Memory(head, self._backbone.loaded.model.architecture)

        def distances(pictures: Pictures) -> NDArray[np.float64]:
            told = [memory.distances(one) for one in self._patches(pictures).split(1)]
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

    def learn(self, usual: Pictures) -> Distances:
        known = self._numbers(usual)
        mean = known.mean(axis=0)
        spread = np.maximum(known.std(axis=0), _LEAST_DEVIATION)

        def distances(pictures: Pictures) -> NDArray[np.float64]:
            far = (self._numbers(pictures) - mean) / spread
            told: NDArray[np.float64] = np.sqrt((far**2).sum(axis=-1))
            return told

        return distances

    def _numbers(self, pictures: Pictures) -> NDArray[np.float64]:
        """`[n, h, w, 2]`."""
        luma = pictures @ _LUMA
        count, height, width = luma.shape
        cells = luma.reshape(count, height // PATCH, PATCH, width // PATCH, PATCH)
        return np.stack((cells.mean(axis=(2, 4)), cells.std(axis=(2, 4))), axis=-1)

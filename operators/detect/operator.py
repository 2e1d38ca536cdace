"""Things of every frame, each with its box: features in -> a list of boxes, labels and scores out.

Which things, and from which score on each is told, is the head's business. One record per frame,
also where nothing was found.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from operators.batch_operator import BatchOperator
from operators.detect.detections import Detections
from operators.detect.finder import Finder, Guesses
from operators.detect.run_lengths import run_lengths
from operators.finite import require_finite
from operators.format import BUILT_IN
from operators.frames import Features, FrameInfo
from operators.result import JSON, Result, canonical_json
from operators.segmentation.labelsets import LabelSet
from operators.weights.heads import Head

DETECTIONS = "detections"  # its topic

_PIXEL_DECIMALS = 2
_DECIMALS = 6


class Detect(BatchOperator):
    """Boxes of the things in every frame."""

    name = "detect"
    topics = BUILT_IN["detect"]

    def __init__(
        self, head: Head, finder: Finder, labels: LabelSet, *, thresholds: Sequence[float]
    ) -> None:
        """
        Args:
            head: whose weights the finder has.
            finder: finds things.
            labels: what the classes are.
            thresholds: least score at which a thing of each class is told; above 1: never.
        """
        self._find = finder
        self.layers = finder.layers
        self.untrained = head.untrained
        self.head_sha256 = head.sha256
        self.labels = labels
        self._thresholds = tuple(thresholds)
        self._least = torch.tensor(self._thresholds)

    def settings(self) -> Mapping[str, Any]:
        own = {"labelset": self.labels.name, "thresholds": list(self._thresholds)}
        return own | dict(self._find.settings())

    @property
    def tells_masks(self) -> bool:
        """A mask stands beside every box."""
        return bool(self._find.settings().get("masks"))

    def label_sets(self) -> Mapping[str, Sequence[Mapping[str, Any]]]:
        return {self.labels.name: self.labels.records()}

    def load(self, device: torch.device, dtype: torch.dtype) -> None:
        self._find.load(device)
        self._least = self._least.to(device)

    def compute(self, features: Features, rows: slice) -> tuple[Tensor, ...]:
        """Of K guesses, those below their thresholds with score 0, the best first: `Guesses`."""
        boxes, scores, labels, *masks = self.guesses(features, rows)
        told = torch.where(scores < self._least[labels.long()], 0, scores)  # NaN stays NaN
        order = told.argsort(dim=1, descending=True, stable=True)
        return tuple(_in_order(one, order) for one in (boxes, told, labels, *masks))

    def guesses(self, features: Features, rows: slice) -> Guesses:
        """What all K guesses say, in no order and whatever their scores."""
        return self._find(features, rows)

    def detections(self, info: FrameInfo, *numbers: NDArray[Any]) -> Detections:
        """One frame's row of what `compute` gave, as things in pixels of its source.

        Raises:
            DinostreamError: NaN; names the frame.
        """
        boxes, scores, labels, *masks = numbers
        require_finite(scores, info, operator=self.name)
        told = scores > 0
        height, width = info.source_hw
        pixels = boxes[told] * np.array([width, height, width, height], dtype=np.float32)
        kinds = labels[told].astype(np.int64)
        return Detections(pixels, scores[told].copy(), kinds, *(one[told] for one in masks))

    def say(self, info: FrameInfo, *numbers: NDArray[Any]) -> list[Result]:
        found = self.detections(info, *numbers)
        said = {"objects": [self._object(found, index) for index in range(len(found))]}
        refers = {"labelset": self.labels.name}
        return [Result(info, DETECTIONS, JSON, canonical_json(said), refers)]

    def _object(self, found: Detections, index: int) -> dict[str, Any]:
        label = self.labels.labels[found.labels[index]]
        masks = found.masks
        return {
            "box": [round(float(edge), _PIXEL_DECIMALS) for edge in found.boxes[index]],
            "id": label.id,
            "name": label.name,
            "score": round(float(found.scores[index]), _DECIMALS),
            **({} if masks is None else {"mask": run_lengths(masks[index])}),
        }


def _in_order(guesses: Tensor, order: Tensor) -> Tensor:
    """`[R, K, ...]` by `[R, K]`."""
    shape = (*order.shape, *(1 for _ in guesses.shape[2:]))
    return guesses.gather(1, order.view(shape).expand(guesses.shape))

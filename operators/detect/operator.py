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
from torch.nn import functional as F

from operators.backbones.architectures import Architecture
from operators.backbones.precision import Precision
from operators.batch_operator import BatchOperator
from operators.detect.boxes import corners
from operators.detect.decoder import Decoder, DecoderShape, decoder_blocks, decoder_layout
from operators.detect.detections import Detections
from operators.detect.layers import rounded
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
        self,
        head: Head,
        arch: Architecture,
        labels: LabelSet,
        *,
        shape: DecoderShape,
        thresholds: Sequence[float],
    ) -> None:
        """
        Args:
            head: tensors of `operators.detect.decoder.Decoder`.
            arch: the backbone's sizes.
            labels: what the classes are.
            shape: of the decoder.
            thresholds: least score at which a thing of each class is told; above 1: never.

        Raises:
            WeightsError: the head does not fit the backbone, the labels or the shape.
        """
        head.check(decoder_layout(arch, len(labels.labels), shape))
        self._decoder = Decoder(arch.width, len(labels.labels), shape).requires_grad_(False)
        self._decoder.load_state_dict({name: one.float() for name, one in head.tensors.items()})
        self._rounded: dict[torch.dtype, Decoder] = {}
        self.layers = decoder_blocks(arch)
        self.untrained = head.untrained
        self.head_sha256 = head.sha256
        self.labels = labels
        self._thresholds = tuple(thresholds)
        self._least = torch.tensor(self._thresholds)

    def settings(self) -> Mapping[str, Any]:
        return {"labelset": self.labels.name, "thresholds": list(self._thresholds)}

    def label_sets(self) -> Mapping[str, Sequence[Mapping[str, Any]]]:
        return {self.labels.name: self.labels.records()}

    def load(self, device: torch.device, dtype: torch.dtype) -> None:
        """The head stays float32 on a GPU whatever the backbone runs in, unless a user asked for
        less (`Features.precision`)."""
        self._decoder.to(device)
        self._least = self._least.to(device)
        self._rounded.clear()

    def compute(self, features: Features, rows: slice) -> tuple[Tensor, ...]:
        """Of K queries, those below their thresholds with score 0, the best first.

        Returns:
            Left, top, right, bottom `[R, K, 4]`, shares of the picture; scores `[R, K]`; labels
            `[R, K]`; all float32.
        """
        boxes, scores, labels = self.guesses(features, rows)
        told = torch.where(scores < self._least[labels.long()], 0, scores)  # NaN stays NaN
        order = told.argsort(dim=1, descending=True, stable=True)
        found = [one.gather(1, order) for one in (told, labels)]
        return boxes.gather(1, order[..., None].expand(-1, -1, 4)), *found

    def guesses(self, features: Features, rows: slice) -> tuple[Tensor, Tensor, Tensor]:
        """What all K queries say, whatever their scores: boxes, scores and labels as of
        `compute`.

        Raises:
            ValueError: the features carry no final norm.
        """
        if features.norm is None:
            raise ValueError("these features carry no final norm; build them with Backbone")
        read = [features.norm(features.layers[block][0][rows]) for block in self.layers]
        blocks = torch.cat([*read, features.patches[rows]], dim=-1).float()
        precision = features.precision or Precision.FLOAT32
        with precision.on(blocks.device), torch.inference_mode():
            last = self._decoder_of(precision.dtype)(blocks)[-1]
        scores, labels = last.logits.softmax(dim=-1)[..., :-1].max(dim=-1)
        lacking = self._decoder.shape.queries - scores.shape[1]  # a picture of few patches
        boxes = F.pad(corners(last.boxes).clamp(0, 1), (0, 0, 0, lacking))
        return boxes, F.pad(scores, (0, lacking)), F.pad(labels.float(), (0, lacking))

    def detections(self, info: FrameInfo, *numbers: NDArray[Any]) -> Detections:
        """One frame's row of what `compute` gave, as things in pixels of its source.

        Raises:
            DinostreamError: NaN; names the frame.
        """
        boxes, scores, labels = numbers
        require_finite(scores, info, operator=self.name)
        told = scores > 0
        height, width = info.source_hw
        pixels = boxes[told] * np.array([width, height, width, height], dtype=np.float32)
        return Detections(pixels, scores[told].copy(), labels[told].astype(np.int64))

    def say(self, info: FrameInfo, *numbers: NDArray[Any]) -> list[Result]:
        found = self.detections(info, *numbers)
        said = {"objects": [self._object(found, index) for index in range(len(found))]}
        refers = {"labelset": self.labels.name}
        return [Result(info, DETECTIONS, JSON, canonical_json(said), refers)]

    def _object(self, found: Detections, index: int) -> dict[str, Any]:
        label = self.labels.labels[found.labels[index]]
        return {
            "box": [round(float(edge), _PIXEL_DECIMALS) for edge in found.boxes[index]],
            "id": label.id,
            "name": label.name,
            "score": round(float(found.scores[index]), _DECIMALS),
        }

    def _decoder_of(self, dtype: torch.dtype) -> Decoder:
        if dtype not in self._rounded:  # several threads may come here at once: each is right
            self._rounded[dtype] = rounded(self._decoder, dtype)
        return self._rounded[dtype]

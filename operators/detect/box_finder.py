"""Boxes by the decoder that `fit detect` trains."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch.nn import functional as F

from operators.backbones.architectures import Architecture
from operators.backbones.precision import Precision
from operators.detect.boxes import corners
from operators.detect.decoder import Decoder, DecoderShape, decoder_blocks, decoder_layout
from operators.detect.finder import Guesses
from operators.detect.layers import rounded
from operators.frames import Features
from operators.weights.heads import Head


class BoxFinder:
    """Implements `operators.detect.finder.Finder`."""

    def __init__(self, head: Head, arch: Architecture, classes: int, shape: DecoderShape) -> None:
        """
        Args:
            head: tensors of `operators.detect.decoder.Decoder`.
            arch: the backbone's sizes.
            classes: how many it tells apart.
            shape: of the decoder.

        Raises:
            WeightsError: the head does not fit the backbone, the classes or the shape.
        """
        head.check(decoder_layout(arch, classes, shape))
        self._decoder = Decoder(arch.width, classes, shape).requires_grad_(False)
        self._decoder.load_state_dict({name: one.float() for name, one in head.tensors.items()})
        self._rounded: dict[torch.dtype, Decoder] = {}
        self.layers = decoder_blocks(arch)

    def settings(self) -> Mapping[str, Any]:
        return {}

    def load(self, device: torch.device) -> None:
        """The head stays float32 on a GPU whatever the backbone runs in, unless a user asked for
        less (`Features.precision`)."""
        self._decoder.to(device)
        self._rounded.clear()

    def __call__(self, features: Features, rows: slice) -> Guesses:
        """
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

    def _decoder_of(self, dtype: torch.dtype) -> Decoder:
        if dtype not in self._rounded:  # several threads may come here at once: each is right
            self._rounded[dtype] = rounded(self._decoder, dtype)
        return self._rounded[dtype]

"""Boxes, and masks where they are asked for, by the decoder that `fit detect` trains."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from operators.backbones.architectures import Architecture
from operators.backbones.precision import Precision
from operators.detect.boxes import corners
from operators.detect.decoder import (
    Decoder,
    DecoderShape,
    Guess,
    Whereabouts,
    decoder_blocks,
    decoder_layout,
)
from operators.detect.finder import Guesses
from operators.detect.layers import rounded
from operators.frames import Features
from operators.weights.heads import Head

_KEPT_GRIDS = 32  # of whose patches it is kept where they are; 130 KB each at 224 px


class BoxFinder:
    """Implements `operators.detect.finder.Finder`."""

    def __init__(
        self,
        head: Head,
        arch: Architecture,
        classes: int,
        shape: DecoderShape,
        *,
        masks: bool = False,
    ) -> None:
        """
        Args:
            head: tensors of `operators.detect.decoder.Decoder`.
            arch: the backbone's sizes.
            classes: how many it tells apart.
            shape: of the decoder.
            masks: they are given beside the boxes.

        Raises:
            WeightsError: the head does not fit the backbone, the classes or the shape, or has no
                masks to give.
        """
        if masks and not shape.mask_width:
            raise head.wrong("it has boxes alone; leave out the setting masks")
        head.check(decoder_layout(arch, classes, shape))
        self._decoder = Decoder(arch.width, classes, shape).requires_grad_(False)
        self._decoder.load_state_dict({name: one.float() for name, one in head.tensors.items()})
        self._rounded: dict[torch.dtype, Decoder] = {}
        self._where: dict[tuple[torch.dtype, int, int], Whereabouts] = {}
        self._masks = masks
        self.layers = decoder_blocks(arch)

    def settings(self) -> Mapping[str, Any]:
        return {"masks": True} if self._masks else {}  # without them ids stay what they were

    def load(self, device: torch.device) -> None:
        """The head stays float32 on a GPU whatever the backbone runs in, unless a user asked for
        less (`Features.precision`)."""
        self._decoder.to(device)
        self._rounded.clear()
        self._where.clear()

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
            last = self._last(blocks, precision.dtype)
        scores, labels = last.logits.softmax(dim=-1)[..., :-1].max(dim=-1)
        lacking = self._decoder.shape.queries - scores.shape[1]  # a picture of few patches
        boxes = F.pad(corners(last.boxes).clamp(0, 1), (0, 0, 0, lacking))
        found = (boxes, F.pad(scores, (0, lacking)), F.pad(labels.float(), (0, lacking)))
        if last.masks is None:
            return found
        return *found, F.pad(last.masks, (0, 0, 0, 0, 0, lacking)) > 0

    def _last(self, blocks: Tensor, dtype: torch.dtype) -> Guess:
        """Several threads may come here at once: what each keeps is right."""
        if dtype not in self._rounded:
            self._rounded[dtype] = rounded(self._decoder, dtype)
        decoder = self._rounded[dtype]
        key = (dtype, blocks.shape[1], blocks.shape[2])
        where = self._where.get(key)
        if where is None:
            where = decoder.whereabouts(key[1:], blocks.device)
            if len(self._where) >= _KEPT_GRIDS:
                self._where.clear()
            self._where[key] = where
        return decoder.last(blocks, where, masks=self._masks)

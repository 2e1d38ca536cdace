"""How alike frames, or their patches, and words are: features in -> logits of every label out.

Logits are cosines times a scale. Implements what `classify` and `segmentation` read scores from.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from operators.backbones.architectures import Architecture
from operators.frames import Features
from operators.weights.dinotxt import (
    LOGIT_SCALE,
    MOST_LOGIT_SCALE,
    OPERATOR,
    TEXTS,
    VISION_HEAD,
    vision_head,
)
from operators.weights.heads import Head
from operators.words.vision_head import VisionHead, block_count, vision_head_layout


def of_words(head: Head) -> bool:
    """Whether a head's classes are words."""
    return head.facts.get("operator") == OPERATOR


class FrameLikeness:
    """Whole frames and words: class token and mean patch behind the vision head, as one vector."""

    def __init__(self, head: Head, arch: Architecture, classes: int) -> None:
        """
        Args:
            head: of the kind `words`.
            arch: the backbone's sizes.
            classes: labels that it must have.

        Raises:
            WeightsError: the head does not fit the backbone or the labels.
        """
        texts, scale = _texts(head, arch, classes)
        self._texts = scale * texts
        self._vision = VisionHead(head, arch)
        self.layers = self._vision.layers

    def settings(self) -> Mapping[str, Any]:
        """All that can change a score is in the head."""
        return {}

    def load(self, device: torch.device, dtype: torch.dtype) -> None:
        """Put the weights on a device; blocks compute there as the backbone's do."""
        self._vision.load(device)
        self._texts = self._texts.to(device)

    def logits(self, features: Features, rows: slice) -> Tensor:
        """Of some rows, float32 `[R, classes]`."""
        cls, patches = self._vision(features, rows)
        vectors = torch.cat((cls, patches.flatten(1, 2).mean(dim=1)), dim=1)
        return F.normalize(vectors, dim=1) @ self._texts.T


class PatchLikeness:
    """Patches and words: a patch behind the vision head, and the half of a text's vector that its
    training held against the mean patch."""

    def __init__(self, head: Head, arch: Architecture, classes: int) -> None:
        """Arguments and errors are those of `FrameLikeness`."""
        texts, scale = _texts(head, arch, classes)
        self._texts = scale * F.normalize(texts[:, arch.width :], dim=1)
        self._vision = VisionHead(head, arch)
        self.layers = self._vision.layers

    def load(self, device: torch.device) -> None:
        """Put the weights on a device."""
        self._vision.load(device)
        self._texts = self._texts.to(device)

    def patch_weights(self) -> Mapping[int | None, Tensor]:
        """None: patches go through blocks first (`Operator.patch_weights`)."""
        return {}

    def logits(self, features: Features, rows: slice) -> Tensor:
        """Of some rows, float32 `[R, h, w, classes]`."""
        _, patches = self._vision(features, rows)
        return F.normalize(patches, dim=-1) @ self._texts.T


def _texts(head: Head, arch: Architecture, classes: int) -> tuple[Tensor, float]:
    """The labels' vectors of length one, float32 `[C, 2 D]`, and the scale of their cosines."""
    if not arch.registers:
        raise head.wrong(
            f"it reads register tokens, which {arch.name} has none of; take --model {arch.name}_reg"
        )
    blocks = block_count(vision_head(head.tensors))
    layout = {
        f"{VISION_HEAD}{name}": shape for name, shape in vision_head_layout(arch, blocks).items()
    }
    head.check({**layout, TEXTS: (classes, 2 * arch.width)})
    scale = head.facts.get(LOGIT_SCALE)
    if not isinstance(scale, int | float) or scale is True or not 0 < scale <= MOST_LOGIT_SCALE:
        raise head.wrong(
            f"its header must say {LOGIT_SCALE}, a number above 0 and up to {MOST_LOGIT_SCALE}, "
            f"got {scale!r}"
        )
    return F.normalize(head.tensors[TEXTS].float(), dim=1), float(scale)

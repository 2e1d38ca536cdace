"""The official linear segmentation heads: features of one frame in -> logits per patch out.

Batch norm and a 1x1 convolution on the normalised patches of the last block, or of the last four
side by side, which upstream calls multi-scale (upstream: eval/segmentation).
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from operators.backbones.architectures import Architecture
from operators.backbones.projection import Projection
from operators.frames import Features
from operators.weights.heads import Head, Layout

BN, CONV = "decode_head.bn", "decode_head.conv_seg"

_BN_EPS = 1e-5  # torch's default, which upstream keeps


class LinearSegmentation:
    """One linear head over 1 or 4 last blocks."""

    def __init__(self, head: Head, arch: Architecture, classes: int) -> None:
        """
        Args:
            head: tensors in upstream's layout.
            arch: the backbone's sizes.
            classes: how many the head must tell apart.

        Raises:
            WeightsError: the head does not fit the backbone or the classes.
        """
        weight = head.tensors.get(f"{CONV}.weight")
        channels = weight.shape[1] if weight is not None and weight.ndim == 4 else 0
        blocks = 4 if channels == 4 * arch.width else 1
        head.check(segmentation_layout(arch, classes, blocks))
        # What the last block says is there without asking: the normalised patches.
        if blocks == 4:
            arch.require_one_grid("a segmentation head over 4 blocks")
        self.layers = tuple(range(arch.depth - 4, arch.depth - 1)) if blocks == 4 else ()
        self._of_patch = Projection(*_folded(head.tensors))

    def load(self, device: torch.device) -> None:
        """Put the weights on a device."""
        self._of_patch.load(device)

    def patch_weights(self) -> Mapping[int | None, Tensor]:
        """See `Operator.patch_weights`; of earlier blocks it reads what the norm makes of them."""
        return {None: self._of_patch.weight.chunk(len(self.layers) + 1, dim=1)[-1]}

    def logits(self, features: Features, rows: slice) -> Tensor:
        """Of some rows, float32 `[R, h, w, classes]`.

        Raises:
            ValueError: the features carry no final norm, and the head reads four blocks.
        """
        if self.layers and features.norm is None:
            raise ValueError("these features carry no final norm; build them with Backbone")
        norm = features.norm or torch.nn.Identity()
        read = [norm(features.layers[block][0][rows]) for block in self.layers]
        own = features.patches[rows]
        logits = self._of_patch([*read, own], features.precision)
        return logits.view(*own.shape[:3], -1)


def segmentation_layout(arch: Architecture, classes: int, blocks: int = 1) -> Layout:
    """Names and shapes of an official linear head over 1 or 4 blocks."""
    width = blocks * arch.width
    norm = ("weight", "bias", "running_mean", "running_var")
    return {
        f"{CONV}.weight": (classes, width, 1, 1),
        f"{CONV}.bias": (classes,),
        **{f"{BN}.{name}": (width,) for name in norm},
        f"{BN}.num_batches_tracked": (),
    }


def _folded(tensors: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
    """Batch norm (in evaluation a scale and a shift per channel) taken into the convolution."""
    own = {name: tensor.double() for name, tensor in tensors.items()}
    scale = own[f"{BN}.weight"] / torch.sqrt(own[f"{BN}.running_var"] + _BN_EPS)
    shift = own[f"{BN}.bias"] - own[f"{BN}.running_mean"] * scale
    weight = own[f"{CONV}.weight"].flatten(1)
    bias = own[f"{CONV}.bias"] + weight @ shift
    return (weight * scale).float().contiguous(), bias.float()

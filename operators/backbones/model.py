"""A backbone's model, of whichever family its architecture is."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from operators.backbones.architectures import Architecture
from operators.backbones.swin import SwinTransformer, empty_swin, filled_swin
from operators.backbones.vit import VisionTransformer, empty_vit, filled_vit

Model = VisionTransformer | SwinTransformer


def empty_model(arch: Architecture) -> Model:
    """Of shapes without memory."""
    return empty_swin(arch) if arch.pyramid else empty_vit(arch)


def filled_model(arch: Architecture, tensors: Mapping[str, Tensor]) -> Model:
    """Frozen, in evaluation mode, holding these very tensors.

    Args:
        arch: of the model.
        tensors: all of its own, by upstream's names.
    """
    return filled_swin(arch, tensors) if arch.pyramid else filled_vit(arch, tensors)

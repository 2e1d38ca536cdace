"""Depth Anything: one file with a fine-tuned DINOv2 and the decoder that belongs to it.

A file's tensors in -> the encoder's or the decoder's out. The encoder differs from DINOv2's, so no
other head reads its features: heads are held to the hash of their backbone's file, here the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Family:
    """How the files of one version name their parts, and what such a file may be fine-tuned to.

    Attributes:
        title: for people.
        encoder: what names of the backbone's tensors begin with.
        decoder: what names of the head's begin with.
        domains: which of them it is, its tensors do not tell.
        own_norm: the decoder has a final norm of its own: the encoder's, with another epsilon.
    """

    title: str
    encoder: str
    decoder: str
    domains: tuple[str, ...]
    own_norm: bool = False


V2 = Family("Depth Anything V2", "pretrained.", "depth_head.", ("relative", "hypersim", "vkitti"))
V3 = Family(
    "Depth Anything 3",
    *("model.backbone.pretrained.", "model.head.", ("da3mono", "da3metric")),
    own_norm=True,
)
_FAMILIES = (V2, V3)
# Of Depth Anything 3: cameras, splats, two models in one; blocks that look across pictures.
_OF_MANY = ("model.cam_", "model.gs_", "model.da3.", "model.da3_metric.")
_CAMERA_TOKEN = "camera_token"
MULTI_VIEW = (
    "a Depth Anything 3 of many views, whose blocks look across pictures and know cameras: another "
    "backbone, which is not built; of one view are DA3MONO-LARGE and DA3METRIC-LARGE"
)


def family(tensors: Mapping[str, Tensor]) -> Family | None:
    """Which Depth Anything these tensors are, as a whole; None: they are none."""
    for one in _FAMILIES:
        if all(
            any(name.startswith(part) for name in tensors) for part in (one.encoder, one.decoder)
        ):
            return one
    return None


def decoder_family(tensors: Mapping[str, Tensor]) -> Family | None:
    """Whose decoder a depth head is; None: of no Depth Anything."""
    for one in _FAMILIES:
        if any(name.startswith(one.decoder) for name in tensors):
            return one
    return None


def is_multi_view(tensors: Mapping[str, Tensor]) -> bool:
    """Whether these are a Depth Anything 3 that looks across pictures: another architecture."""
    return any(name.startswith(_OF_MANY) or name.endswith(_CAMERA_TOKEN) for name in tensors)


def encoder(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The backbone's part, by DINOv2's names; a name of neither part stays as it is.

    Depth Anything 3 has no token for hidden patches; nobody hides any, so it is zeros.
    """
    own = family(tensors)
    assert own is not None
    found = {
        name.removeprefix(own.encoder): tensor
        for name, tensor in tensors.items()
        if not name.startswith(own.decoder)
    }
    if own is V3 and "cls_token" in found:
        found.setdefault("mask_token", torch.zeros(1, found["cls_token"].numel()))
    return found


def decoder(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The head's part, by the file's names."""
    own = family(tensors)
    assert own is not None
    begin = (own.decoder, f"{own.encoder}norm.") if own.own_norm else own.decoder
    return {name: tensor for name, tensor in tensors.items() if name.startswith(begin)}

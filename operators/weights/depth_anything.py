"""Depth Anything V2: one file with a fine-tuned DINOv2 and the decoder that belongs to it.

A file's tensors in -> the encoder's or the decoder's out. The encoder differs from DINOv2's, so no
other head reads its features: heads are held to the hash of their backbone's file, here the same.
"""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

METRIC = "_metric_"  # in the names of files fine-tuned to metres, which have the same layout

_ENCODER, _DECODER = "pretrained.", "depth_head."


def is_whole(tensors: Mapping[str, Tensor]) -> bool:
    """Whether these are a whole Depth Anything."""
    return all(any(name.startswith(part) for name in tensors) for part in (_ENCODER, _DECODER))


def encoder(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The backbone's part, by DINOv2's names; a name of neither part stays as it is."""
    return {
        name.removeprefix(_ENCODER): tensor
        for name, tensor in tensors.items()
        if not name.startswith(_DECODER)
    }


def decoder(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The head's part, by the file's names."""
    return {name: tensor for name, tensor in tensors.items() if name.startswith(_DECODER)}


def is_decoder(tensors: Mapping[str, Tensor]) -> bool:
    """Whether a depth head is one of these, told by its tensors' names."""
    return any(name.startswith(_DECODER) for name in tensors)

"""The way of Depth Anything's decoders: four blocks after a final norm, without class tokens, in ->
a number per pixel of the picture out. Must not know what the number means.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor
from torch.nn.functional import layer_norm

from operators.backbones.architectures import Architecture
from operators.depth.dpt import Dpt
from operators.depth.dpt_layouts import DptLayout, file_shapes, renamed
from operators.depth.dpt_rows import decoded
from operators.depth.linear import four_blocks
from operators.frames import Features
from operators.weights.heads import Head

_EPS = 1e-5  # of a decoder's own norm (upstream: torch's default; the encoder's blocks have 1e-6)


class NormedDpt:
    """One decoder, with a final norm of its own or the backbone's."""

    def __init__(self, tensors: Mapping[str, Tensor], arch: Architecture) -> None:
        """
        Args:
            tensors: by `Dpt`'s names; `norm.weight` and `norm.bias` where it has its own norm.
            arch: the backbone's sizes.
        """
        self.layers = four_blocks(arch)
        own = {name: tensor for name, tensor in tensors.items() if name.startswith("norm.")}
        others = {name: tensor for name, tensor in tensors.items() if name not in own}
        self._norm = {name: tensor.float() for name, tensor in own.items()}
        self._dpt = Dpt(others, readout=False, patch=arch.patch)

    def load(self, device: torch.device) -> None:
        """Put the weights on a device."""
        self._norm = {name: tensor.to(device) for name, tensor in self._norm.items()}
        self._dpt.load(device)

    def __call__(self, features: Features, rows: slice) -> Tensor:
        """Of the frames among some rows, as `Dpt` gives them.

        Raises:
            ValueError: there is no final norm of its own, and the features carry none.
        """
        norm = self._own_norm if self._norm else features.norm
        if norm is None:
            raise ValueError("these features carry no final norm; build them with Backbone")
        read = [features.layers[block] for block in self.layers]
        return decoded(
            self._dpt,
            lambda some: [(norm(patches[some]), cls[some]) for patches, cls in read],
            features,
            rows,
        )

    def _own_norm(self, patches: Tensor) -> Tensor:
        weight, bias = self._norm["norm.weight"], self._norm["norm.bias"]
        return layer_norm(patches.float(), weight.shape, weight, bias, _EPS)


def decoder_tensors(
    head: Head, arch: Architecture, layout_of: Callable[[Architecture], DptLayout]
) -> dict[str, Tensor]:
    """A head's tensors by `Dpt`'s names, held to a layout.

    Raises:
        WeightsError: there is no such decoder for the backbone, or the head's tensors are others.
    """
    try:
        layout = layout_of(arch)
    except ValueError as error:
        raise head.wrong(str(error)) from error
    head.check(file_shapes(layout))
    return renamed(layout, head.tensors)

"""Depth from Depth Anything 3, DA3MONO-LARGE and DA3METRIC-LARGE: features in -> disparity out.

The decoder says the logarithm of a depth and, beside it, where the sky is. Of DA3METRIC it is the
depth of a camera whose focal length is 300 pixels of the picture that the model sees (README.md,
src/depth_anything_3/utils/alignment.py upstream); of DA3MONO nobody knows its scale.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from operators.backbones.architectures import Architecture
from operators.depth.dpt_layouts import depth_anything_3_dpt
from operators.depth.dpt_metric import at_map_size
from operators.depth.normed_dpt import NormedDpt, decoder_tensors
from operators.frames import Features
from operators.weights.heads import Head

DISPARITY = 8.0
"""Disparity of what is as far away as the focal length is long in pictures' widths, were they
metres: metres = `DISPARITY` x focal length / width / disparity, both in pixels of the same picture.
Up to 64, the largest that is published, reaches down to an eighth of that."""

_FOCAL_PX = 300.0
_SKY = 0.3  # from where on it is sky (DepthAnything3Net in model/da3.py upstream)
_UNKNOWN = -1.0


class DepthAnything3:
    """One decoder of one view."""

    def __init__(self, head: Head, arch: Architecture, *, map_scale: int) -> None:
        """
        Args:
            head: the decoder's tensors and its norm's, by the file's names.
            arch: the backbone's sizes.
            map_scale: cells of the map per side of a patch.

        Raises:
            WeightsError: the head does not fit the backbone.
        """
        tensors = decoder_tensors(head, arch, depth_anything_3_dpt)
        self._decoder = NormedDpt(_side_by_side(tensors), arch)
        self.layers = self._decoder.layers
        self._patch = arch.patch
        self._map_scale = map_scale

    def load(self, device: torch.device) -> None:
        """Put the weights on a device."""
        self._decoder.load(device)

    def disparity(self, features: Features, rows: slice) -> Tensor:
        """Of some rows, float32 `[R, h * map_scale, w * map_scale]`, larger is nearer; -1 in the
        sky, which has none."""
        fine = self._decoder(features, rows)
        grid = features.patches.shape[1:3]
        depth = at_map_size(fine[:, 0].exp(), grid, self._map_scale)
        sky = at_map_size(fine[:, 1].relu(), grid, self._map_scale)
        disparity = DISPARITY * _FOCAL_PX / (self._patch * grid[1] * depth)
        return torch.where(sky >= _SKY, _UNKNOWN, disparity)


def _side_by_side(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The two ends of the decoder, depth's and the sky's, as one that says two numbers: they read
    the same, so it is convolved once. Neither sees the other's channels."""
    depth, sky = (tensors[f"{end}value.weight"] for end in ("", "sky."))
    nothing = torch.zeros_like(depth)
    both = {
        f"{layer}.{part}": torch.cat([tensors[f"{end}{layer}.{part}"] for end in ("", "sky.")])
        for layer, part in (("last", "weight"), ("last", "bias"), ("value", "bias"))
    }
    both["value.weight"] = torch.cat([torch.cat([depth, nothing], 1), torch.cat([nothing, sky], 1)])
    others = {name: one for name, one in tensors.items() if not name.startswith("sky.")}
    return others | both

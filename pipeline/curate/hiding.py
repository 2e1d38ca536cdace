"""Pictures without what nobody shall recognise, where a segmentation head finds it.

A picture in -> the same picture with coarse blocks over it, as `frames` hides people.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from operators.backbones.backbone import Backbone
from operators.backbones.loaded import LoadedBackbone
from operators.finite import require_finite
from operators.frames import FrameBatch, FrameInfo
from operators.pictures.hiding import hide
from operators.registry import build_operator
from operators.segmentation.operator import Segmentation
from operators.weights.head_needs import head_choice
from pipeline.media.frame_size import FrameSize
from pipeline.media.still import scaled


def finder(
    loaded: LoadedBackbone, weights: str, *, seed: int, heads: Mapping[str, str]
) -> Segmentation:
    """The segmentation that finds what is hidden.

    Args:
        loaded: the backbone.
        weights: as the user named them.
        seed: of random ones.
        heads: as the user chose them, by operator.

    Raises:
        UsageError: there is no head, or it does not fit.
    """
    found = build_operator(
        Segmentation.name,
        {},
        architecture=loaded.model.architecture,
        backbone_sha256=loaded.sha256,
        head=head_choice(Segmentation.name, heads, weights),
        random_seed=seed if loaded.untrained else None,
        rendered_only=loaded.rendered_only,
    )
    assert isinstance(found, Segmentation)
    return found


class Hiding:
    """Hides classes in pictures."""

    def __init__(
        self, backbone: Backbone, segmentation: Segmentation, names: Sequence[str], size: FrameSize
    ) -> None:
        """
        Args:
            backbone: keeps the blocks that the segmentation reads.
            segmentation: finds them.
            names: of the classes.
            size: of a frame at the backbone; its short side is a whole number of patches.

        Raises:
            UsageError: the segmentation does not know such a class.
        """
        labels = segmentation.labels
        self._hidden = [one for name in names for one in labels.ids(name, "--blur")]
        segmentation.load(backbone.device, backbone.dtype)
        self._backbone = backbone
        self._segmentation = segmentation
        self._size = size

    def __call__(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The picture without them.

        Args:
            picture: uint8 RGB `[H, W, 3]`, both sides the same whole multiple of a frame's.

        Raises:
            ValueError: the backbone saw numbers that are none.
        """
        frame = scaled(picture, self._size)
        info = FrameInfo.of_picture((picture.shape[0], picture.shape[1]))
        features = self._backbone(FrameBatch((info,), frame[None]))
        ids, finite = self._segmentation.compute(features, slice(0, 1))
        require_finite(finite[0].cpu().numpy(), info, operator=self._segmentation.name)
        times = picture.shape[0] // frame.shape[0]
        found = np.isin(ids[0].cpu().numpy(), self._hidden)
        return hide(picture, found, self._size.patch * times)

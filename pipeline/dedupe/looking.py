"""Pictures of any sizes -> what `embedding` would publish of them, as units."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from operators.backbones.backbone import Backbone
from operators.frames import FrameBatch, FrameInfo
from operators.groups.grid import Units, unit_rows
from pipeline.media.frame_size import FrameSize
from pipeline.media.still import scaled

Pixels = NDArray[np.uint8]
Look = Callable[[Sequence[Pixels]], Units]
"""uint8 RGB `[H, W, 3]` of n pictures -> `[n, D]`."""


class Looking:
    """A backbone that looks at pictures."""

    def __init__(self, backbone: Backbone, short_side: int) -> None:
        """
        Args:
            backbone: that made the vectors which these are compared with.
            short_side: of a frame at the backbone, pixels.
        """
        self._backbone = backbone
        self._size = FrameSize(short_side, backbone.loaded.model.architecture.patch)

    def __call__(self, pictures: Sequence[Pixels]) -> Units:
        """Class tokens after the final norm, `[n, D]`."""
        alike: dict[tuple[int, ...], list[int]] = defaultdict(list)
        frames = [scaled(picture, self._size) for picture in pictures]
        for number, frame in enumerate(frames):
            alike[frame.shape].append(number)
        tokens = np.empty((len(frames), self._backbone.loaded.model.architecture.width))
        together = self._backbone.batch_size
        for numbers in alike.values():
            for first in range(0, len(numbers), together):
                batch = numbers[first : first + together]
                tokens[batch] = self._tokens([frames[number] for number in batch])
        return unit_rows(tokens)

    def _tokens(self, frames: Sequence[Pixels]) -> NDArray[np.float32]:
        infos = (FrameInfo.of_picture(),) * len(frames)
        features = self._backbone(FrameBatch(infos, np.stack(frames)))
        tokens: NDArray[np.float32] = features.cls[: len(frames)].float().cpu().numpy()
        return tokens

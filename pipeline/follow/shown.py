"""The frames of a recording that a feature store has sampled, once more, as large as they are.

A clip and the times of its frames in -> pictures out, in order. Decoded as ever.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing

import numpy as np
from numpy.typing import NDArray

from operators.errors import UsageError
from pipeline.errors import SourceError
from pipeline.features.clip import Clip
from pipeline.features.footage import Footage
from pipeline.features.recorded import clip_spec
from pipeline.follow.seen import one_size
from pipeline.media.frame_size import FrameSize
from pipeline.stream.chunk import Frames


def whole(source_hw: tuple[int, int]) -> FrameSize:
    """As large as the source; strips that are too narrow are squeezed as for a backbone."""
    return FrameSize(min(source_hw), patch=1)


def pictures(
    clip: Clip, source_hw: tuple[int, int], times_us: NDArray[np.int64]
) -> Generator[NDArray[np.uint8]]:
    """RGB uint8 `[H, W, 3]` of each frame.

    Args:
        clip: how it was sampled.
        source_hw: height and width as displayed, pixels.
        times_us: event times of the frames that are wanted, rising.

    Raises:
        SourceError: it is not decoded to the same frames as before.
        UsageError: their size changes, which features of an older release do not say.
    """
    spec = clip_spec(clip, whole(source_hw))
    wanted = iter(times_us.tolist())
    sought = next(wanted, None)
    with closing(Footage()) as footage:
        for entry in footage.entries(spec):
            if not isinstance(entry, Frames):
                continue
            for info, pixels in zip(entry.infos, entry.pixels, strict=True):
                if sought is not None and info.event_time_us == sought:
                    if info.source_hw != source_hw:
                        raise UsageError(one_size(clip, source_hw, info.source_hw, ""))
                    yield pixels
                    sought = next(wanted, None)
            if sought is None:
                return
    raise SourceError(f"{clip.path}: the frame at {sought} us is not there when it is read again")

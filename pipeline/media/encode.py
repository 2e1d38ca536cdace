"""Writes RGB frames as an H.264 clip, so that rendered footage goes through a real codec."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace, Interpolation
from numpy.typing import NDArray

CRF = 18  # visually close to the original


def write_clip(
    path: Path,
    frames: Iterable[NDArray[np.uint8]],
    fps: int | Fraction,
    *,
    keyframe_every: int = 30,
    scene: str = "",
) -> int:
    """Encode a clip: MP4, H.264 4:2:0, BT.709 limited range, tagged so.

    Args:
        path: where to; an existing file is replaced, and none is left behind by a failure.
        frames: uint8 RGB `[H, W, 3]`, all of one even size.
        fps: frames per second.
        keyframe_every: frames between key frames.
        scene: the URI of the scene that they show; it is named in the file.

    Returns:
        How many frames were written.

    Raises:
        ValueError: no frames, an odd size, or a size that changes.
    """
    part = path.with_name(f"{path.name}.part")
    try:
        count = _encode(part, frames, Fraction(fps), keyframe_every, scene)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return count


def _encode(
    path: Path,
    frames: Iterable[NDArray[np.uint8]],
    fps: Fraction,
    keyframe_every: int,
    scene: str,
) -> int:
    count = 0
    size_hw: tuple[int, ...] = ()
    with av.open(str(path), "w", format="mp4") as container:
        if scene:
            container.metadata["comment"] = scene
        stream = container.add_stream("libx264", rate=fps)
        stream.pix_fmt = "yuv420p"
        stream.codec_context.options = {"crf": str(CRF), "preset": "veryfast"}
        stream.codec_context.gop_size = keyframe_every
        stream.codec_context.thread_count = 1  # with more, the bytes depend on how many there are
        stream.codec_context.colorspace = Colorspace.ITU709
        stream.codec_context.color_range = ColorRange.MPEG
        for pixels in frames:
            if not count:
                size_hw = _checked(pixels)
                stream.height, stream.width = size_hw
            elif pixels.shape[:2] != size_hw:
                raise ValueError(f"frame {count} is {pixels.shape[:2]}, the first is {size_hw}")
            container.mux(stream.encode(_yuv(pixels)))
            count += 1
        if not count:
            raise ValueError("a clip needs at least one frame")
        container.mux(stream.encode(None))
    return count


def _checked(pixels: NDArray[np.uint8]) -> tuple[int, ...]:
    height, width = pixels.shape[:2]
    if height % 2 or width % 2:
        raise ValueError(f"4:2:0 needs an even height and width, got {height}x{width}")
    return height, width


def _yuv(pixels: NDArray[np.uint8]) -> av.VideoFrame:
    return av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(
        format="yuv420p",
        dst_colorspace=Colorspace.ITU709,
        dst_color_range=ColorRange.MPEG,
        interpolation=Interpolation.BICUBIC | Interpolation.ACCURATE_RND,
    )

"""Reads a picture file as the frames of a clip come: upright, RGB, at the model's size.

Path in -> pixels out. Scaled by the same filter and size rule as video frames.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from pipeline.errors import SourceError
from pipeline.media.frame_size import FrameSize
from pipeline.media.orientation import UPRIGHT
from pipeline.media.picture import Picture
from pipeline.media.scaler import Scaler

_EXIF_TIME = "%Y:%m:%d %H:%M:%S"


@dataclass(frozen=True, slots=True)
class Still:
    """One picture.

    Attributes:
        pixels: uint8 RGB `[H, W, 3]` at model size.
        source_hw: height and width as displayed, pixels.
    """

    pixels: NDArray[np.uint8]
    source_hw: tuple[int, int]


def read_still(path: Path, size: FrameSize) -> Still:
    """A picture at the model's size.

    Args:
        path: anything Pillow opens; the first picture of several.
        size: that it shall have.

    Raises:
        SourceError: it cannot be read; names the file.
    """
    rgb = read_upright(path)
    return Still(scaled(rgb, size), (rgb.shape[0], rgb.shape[1]))


def read_upright(path: Path) -> NDArray[np.uint8]:
    """A picture as large as it is, RGB uint8 `[H, W, 3]`; errors as of `read_still`."""
    return np.asarray(ImageOps.exif_transpose(_opened(path)).convert("RGB"))


def read_bounded(data: bytes, name: str, longest_px: int) -> NDArray[np.uint8]:
    """A picture, upright, RGB uint8 `[H, W, 3]`, its long side scaled down to a bound. A JPEG is
    decoded no larger than twice that.

    Args:
        data: of its file.
        name: of the file, for an error's text.
        longest_px: pixels; a smaller picture stays as large as it is.

    Raises:
        SourceError: it cannot be read; names the file.
    """
    with _named_errors(name), Image.open(io.BytesIO(data)) as picture:
        image = picture if picture.mode in ("L", "RGB") else picture.convert("RGB")
        image.thumbnail((longest_px, longest_px), Image.Resampling.BICUBIC)
        return np.array(ImageOps.exif_transpose(image).convert("RGB"))


def scaled(rgb: NDArray[np.uint8], size: FrameSize) -> NDArray[np.uint8]:
    """RGB uint8 `[H, W, 3]` at the model's size; as it is, where it has that size."""
    if rgb.shape[:2] == size.of((rgb.shape[0], rgb.shape[1])):
        return rgb
    frame = av.VideoFrame.from_ndarray(rgb, format="rgb24")
    return Scaler(size)(Picture(lambda: frame, 0, None, keyframe=True, orientation=UPRIGHT))


def day_taken(path: Path) -> str | None:
    """The day a camera wrote into the file, `2026-11-22`; None where it wrote none.

    Raises:
        SourceError: it cannot be read; names the file.
    """
    exif = _opened(path).getexif()
    details = exif.get_ifd(ExifTags.IFD.Exif)
    said = details.get(ExifTags.Base.DateTimeOriginal) or exif.get(ExifTags.Base.DateTime)
    try:
        moment = datetime.strptime(str(said), _EXIF_TIME)  # noqa: DTZ007  # the camera's local day
    except ValueError:
        return None
    return moment.date().isoformat()


def _opened(path: Path) -> Image.Image:
    with _named_errors(str(path)), Image.open(path) as picture:
        picture.load()
        return picture


@contextmanager
def _named_errors(name: str) -> Iterator[None]:
    try:
        yield
    except (
        OSError,
        UnidentifiedImageError,
        ValueError,
        SyntaxError,  # of a broken PNG
        Image.DecompressionBombError,
    ) as error:
        raise SourceError(f"{name}: cannot be read as a picture ({error})") from error

"""Pictures in one folder and their masks or depth maps in another, found by their names.

Folders in -> items out, or an error that names every file that does not do. Knows no features.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image

from operators.errors import UsageError
from operators.learn.resampling import nearest
from pipeline.errors import SourceError
from pipeline.fit.picture_file import PictureFile
from pipeline.fit.truth_files import DepthFile, TruthFormat
from pipeline.media.fingerprint import file_session
from pipeline.media.frame_size import FrameSize

PICTURES = frozenset((".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"))

_NAMED = 5  # files that an error spells out
_LYING = (5, 6, 7, 8)  # values of the EXIF orientation that exchange width and height


@dataclass(frozen=True, slots=True)
class PairItem(PictureFile):
    """A picture and its truth. Implements `pipeline.fit.dense_item.DeepItem`."""

    partner: Path
    format: TruthFormat

    @property
    def truth_identity(self) -> Mapping[str, Any]:
        return {"file": file_session(str(self.partner)), **self.format.identity}

    def truth(self, size: FrameSize) -> NDArray[Any]:
        """The mask or the depth at that size, each pixel the value under its middle."""
        values = self.format.read(self.partner)
        height, width = values.shape
        return nearest(values, size.of((height, width)))

    @property
    def has_depth(self) -> bool:
        return isinstance(self.format, DepthFile)

    def depth_m(self, size: FrameSize) -> NDArray[np.float32]:
        """The truth, where it is depth."""
        return self.truth(size)


def pairs(pictures: Path, partners: Path, truth: TruthFormat) -> list[PairItem]:
    """Every picture with its partner.

    Args:
        pictures: folder, looked through with its sub-folders.
        partners: folder with files of the same names but for their suffix.
        truth: how partners are read.

    Raises:
        UsageError: no pictures, a missing partner, or two sizes; names the files.
    """
    found = by_stem(pictures, PICTURES)
    known = by_stem(partners, truth.suffixes)
    _refuse_missing(found, known, pictures, partners)
    items = [PairItem(path, known[stem], truth) for stem, path in sorted(found.items())]
    odd = [text for item in items if (text := _two_sizes(item))]
    if odd:
        raise UsageError(f"pictures and their {truth.word} differ in size: {listed(odd)}")
    return items


def by_stem(folder: Path, suffixes: frozenset[str]) -> dict[str, Path]:
    """Files by their names below a folder, without the endings.

    Raises:
        UsageError: no such folder, nothing in it, or two of one name.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder}: no such folder")
    found: dict[str, Path] = {}
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in suffixes and path.is_file():
            stem = path.relative_to(folder).with_suffix("").as_posix()
            if stem in found:
                raise UsageError(f"{path} and {found[stem]} have one name; rename one of them")
            found[stem] = path
    if not found:
        raise UsageError(f"{folder}: no file there ends in {', '.join(sorted(suffixes))}")
    return found


def _refuse_missing(
    found: Mapping[str, Path], known: Mapping[str, Path], pictures: Path, partners: Path
) -> None:
    alone = [str(path) for stem, path in found.items() if stem not in known]
    if alone:
        raise UsageError(f"nothing in {partners} for {listed(alone)}; partners have the same name")
    left = [str(path) for stem, path in known.items() if stem not in found]
    if left:
        raise UsageError(f"no picture in {pictures} for {listed(left)}")


def _two_sizes(item: PairItem) -> str:
    own, partner = picture_hw(item.picture), item.format.size_hw(item.partner)
    if own == partner:
        return ""
    return f"{item.picture} is {own[1]}x{own[0]}, {item.partner} is {partner[1]}x{partner[0]}"


def picture_hw(path: Path) -> tuple[int, int]:
    """Height and width as displayed, without reading the pixels.

    Raises:
        SourceError: it cannot be read; names the file.
    """
    try:
        with Image.open(path) as picture:
            width, height = picture.size
            lying = picture.getexif().get(ExifTags.Base.Orientation) in _LYING
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        raise SourceError(f"{path}: cannot be read as a picture ({error})") from error
    return (width, height) if lying else (height, width)


def listed(texts: Sequence[str]) -> str:
    """The first few, and how many more there are."""
    rest = len(texts) - _NAMED
    return "; ".join(texts[:_NAMED]) + (f"; and {rest} more" if rest > 0 else "")

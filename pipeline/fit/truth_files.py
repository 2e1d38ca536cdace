"""Masks and depth maps as files: a path in -> class ids or metres per pixel out.

Masks are palette or grey PNGs; depth is a 16-bit PNG or a .npy of float32 metres. Knows no pictures
and no features.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from pipeline.errors import SourceError

_DEEP = ("I;16", "I;16B", "I;16L", "I")  # Pillow's modes of a 16-bit grey PNG


class TruthFormat(Protocol):
    """How the files of one kind of truth are read."""

    @property
    def word(self) -> str:
        """What they are called in messages."""
        ...

    @property
    def suffixes(self) -> frozenset[str]:
        """Endings of their names, in small letters."""
        ...

    @property
    def identity(self) -> Mapping[str, Any]:
        """What decides the values beside the file, as JSON values."""
        ...

    def read(self, path: Path) -> NDArray[Any]:
        """Values `[H, W]`.

        Raises:
            SourceError: it cannot be read, or is of another kind; names the file.
        """
        ...

    def size_hw(self, path: Path) -> tuple[int, int]:
        """Height and width, without reading the values."""
        ...


@dataclass(frozen=True, slots=True)
class MaskFile:
    """Class ids, 255 where nobody told."""

    word: str = "masks"
    suffixes: frozenset[str] = frozenset((".png",))

    @property
    def identity(self) -> Mapping[str, Any]:
        return {"kind": "mask"}

    def read(self, path: Path) -> NDArray[np.uint8]:
        """Ids uint8 `[H, W]`."""
        mode, values = _png(path)
        if mode not in ("P", "L", "1"):
            raise SourceError(
                f"{path}: a mask must be a palette PNG or an 8-bit grey PNG of class ids, got "
                f"mode {mode}"
            )
        return values.astype(np.uint8)

    def size_hw(self, path: Path) -> tuple[int, int]:
        """Height and width."""
        return _png_size_hw(path)


@dataclass(frozen=True, slots=True)
class DepthFile:
    """Metres, 0 where unknown.

    Attributes:
        scale: metres per step of a 16-bit PNG.
    """

    scale: float
    word: str = "depth maps"
    suffixes: frozenset[str] = frozenset((".png", ".npy"))

    @property
    def identity(self) -> Mapping[str, Any]:
        return {"kind": "depth", "scale": self.scale}

    def read(self, path: Path) -> NDArray[np.float32]:
        """Metres float32 `[H, W]`."""
        if path.suffix.lower() == ".npy":
            metres = np.asarray(_array(path), dtype=np.float32)
            known = np.isfinite(metres) & (metres > 0)
            return np.where(known, metres, np.float32(0))
        mode, values = _png(path)
        if mode not in _DEEP:
            raise SourceError(f"{path}: depth must be a 16-bit grey PNG or a .npy, got mode {mode}")
        return (values * self.scale).astype(np.float32)

    def size_hw(self, path: Path) -> tuple[int, int]:
        """Height and width."""
        if path.suffix.lower() == ".npy":
            height, width = _array(path).shape
            return height, width
        return _png_size_hw(path)


def _array(path: Path) -> NDArray[Any]:
    """Mapped, not read; pickles are refused."""
    try:
        values: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise SourceError(f"{path}: cannot be read as an array ({error})") from error
    if values.ndim != 2 or values.dtype.kind != "f":
        got = f"{values.dtype} {list(values.shape)}"
        raise SourceError(f"{path}: want floating-point metres [H, W], got {got}")
    return values


def _png(path: Path) -> tuple[str, NDArray[Any]]:
    try:
        with Image.open(path) as image:
            return image.mode, np.asarray(image)
    except (OSError, UnidentifiedImageError, ValueError, Image.DecompressionBombError) as error:
        raise SourceError(f"{path}: cannot be read as a PNG ({error})") from error


def _png_size_hw(path: Path) -> tuple[int, int]:
    try:
        with Image.open(path) as image:
            width, height = image.size
    except (OSError, UnidentifiedImageError, ValueError, Image.DecompressionBombError) as error:
        raise SourceError(f"{path}: cannot be read as a PNG ({error})") from error
    return height, width

"""A folder of computed features: what a file holds -> where it lies, and what is missing computed.

Knows nothing of backbones, of decoding or of what is learnt.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from operators.result import canonical_json
from pipeline.features.stored import Part, part_facts
from pipeline.media.frame_size import FrameSize
from pipeline.media.scaler import FILTER_NAME

Facts = Mapping[str, Any]
Pixels = NDArray[np.uint8]
Arrays = dict[str, NDArray[Any]]

Read = Callable[[], tuple[Pixels, Facts]]
"""Pixels `[H, W, 3]` of one picture, and what its file says beside its features."""
Look = Callable[[Pixels], Sequence[Arrays]]
"""Pixels `[n, H, W, 3]` -> what the files of n pictures hold."""


class FeatureFolder:
    """Files named after what they hold, for pictures of one size."""

    def __init__(self, path: Path, size: FrameSize) -> None:
        """
        Args:
            path: made where it is missing.
            size: of a frame at the backbone.
        """
        self.path = path
        self.size = size

    def place(self, what: Facts, index: int | None = None) -> Path:
        """Where something lies, or will.

        Args:
            what: all that decides the file's content but size and filter, as JSON values.
            index: of a part, where it has several.
        """
        size = {"short_side": self.size.short_side, "filter": FILTER_NAME}
        name = hashlib.sha256(canonical_json({**what, **size})).hexdigest()[:40]
        part = "" if index is None else f".{index}"
        return self.path / name[:2] / f"{name}{part}.safetensors"


def compute_missing(
    wanted: Iterable[tuple[Path, Read]], look: Look, *, together: int
) -> Iterator[int]:
    """Compute the features of pictures that lie nowhere yet, those of one size together.

    Args:
        wanted: where the features of each picture lie or will, and how its pixels are read.
        look: a pass of the backbone.
        together: n at most.

    Yields:
        How many pictures were computed: after each one, and once more in the end.
    """
    waiting: dict[tuple[int, ...], list[tuple[Path, Pixels, Facts]]] = {}
    computed = 0
    for place, read in wanted:
        if part_facts(place) is None:
            pixels, facts = read()
            alike = waiting.setdefault(pixels.shape, [])
            alike.append((place, pixels, facts))
            if len(alike) == together:
                computed += _write(waiting.pop(pixels.shape), look)
        yield computed
    for rest in waiting.values():
        computed += _write(rest, look)
    yield computed


def _write(alike: Sequence[tuple[Path, Pixels, Facts]], look: Look) -> int:
    seen = look(np.stack([pixels for _, pixels, _ in alike]))
    for (place, _, facts), arrays in zip(alike, seen, strict=True):
        Part(arrays, facts).write(place)
    return len(alike)

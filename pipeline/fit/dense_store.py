"""Patch features of pictures and their truths, computed once: items in -> `DensePictures` out.

One cache file per picture and one per truth, by content, weights and size; a run that was killed
goes on where it was. Knows nothing of training.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import safe_open

from operators.backbones.backbone import Backbone
from operators.frames import Features, FrameBatch, FrameInfo
from operators.learn.dense_pictures import DensePicture
from operators.result import canonical_json
from pipeline.fit.dense_item import DenseItem
from pipeline.fit.stored import Part, part_facts
from pipeline.media.frame_size import FrameSize
from pipeline.media.scaler import FILTER_NAME

_FORMAT = 1
_INFO = FrameInfo("image", "image", "0", 0, Fraction(1), 0, 0, (1, 1))

Tell = Callable[[int, int], None]
"""Pictures done, pictures in all."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a head reads.

    Attributes:
        blocks: of the backbone, before the final norm.
        normed: behind them the last block after it.
    """

    blocks: tuple[int, ...] = ()
    normed: bool = True

    def arrays(self, features: Features, row: int) -> dict[str, NDArray[Any]]:
        """`patches` float16 `[L, h, w, D]` and `cls` float32 `[L, D]` of one frame."""
        read = [features.layers[block] for block in self.blocks]
        read += [(features.patches, features.cls)] if self.normed else []
        return {
            "patches": torch.stack([patches[row] for patches, _ in read]).half().cpu().numpy(),
            "cls": torch.stack([cls[row] for _, cls in read]).float().cpu().numpy(),
        }


class DenseStore:
    """Pictures of one kind of head. Implements `operators.learn.dense_pictures.DensePictures`."""

    def __init__(
        self,
        folder: Path,
        backbone: Backbone,
        items: Sequence[DenseItem],
        *,
        short_side: int,
        reading: Reading,
    ) -> None:
        """
        Args:
            folder: where features are kept; made where it is missing.
            backbone: keeps the blocks that are read.
            items: the pictures.
            short_side: of a frame at the backbone, pixels, before rounding to a multiple of
                its patch.
            reading: what the head reads.
        """
        self.items = items
        self.size = FrameSize(short_side, backbone.loaded.model.architecture.patch)
        self._folder = folder
        self._backbone = backbone
        self._reading = reading
        self._grids: list[tuple[int, int]] = []

    @property
    def groups(self) -> Sequence[str]:
        """File or scene of each picture."""
        return [item.group for item in self.items]

    @property
    def grids(self) -> Sequence[tuple[int, int]]:
        """Patches down and across of each picture; known after `compute`."""
        return self._grids

    def compute(self, tell: Tell) -> None:
        """Compute what the cache lacks.

        Raises:
            SourceError: a picture or a truth cannot be read; names the file.
        """
        grids: dict[int, tuple[int, int]] = {}
        waiting: dict[tuple[int, ...], list[tuple[int, NDArray[np.uint8]]]] = {}
        for index, item in enumerate(self.items):
            self._keep_truth(item)
            facts = part_facts(self._path(item))
            if facts is not None:
                grids[index] = (facts["grid"][0], facts["grid"][1])
            else:
                pixels = item.pixels(self.size)
                together = waiting.setdefault(pixels.shape, [])
                together.append((index, pixels))
                if len(together) == self._backbone.batch_size:
                    grids |= self._look(waiting.pop(pixels.shape))
            tell(len(grids), len(self.items))
        for rest in waiting.values():
            grids |= self._look(rest)
        tell(len(grids), len(self.items))
        self._grids = [grids[index] for index in range(len(self.items))]

    def read(self, index: int) -> DensePicture:
        """One picture."""
        item = self.items[index]
        with safe_open(self._path(item), framework="pt") as file:
            patches, cls = file.get_tensor("patches"), file.get_tensor("cls")
        return DensePicture(patches, cls, torch.from_numpy(self.truth(index)))

    def truth(self, index: int) -> NDArray[Any]:
        """The truth of one picture, without its features."""
        with safe_open(self._truth_path(self.items[index]), framework="numpy") as file:
            truth: NDArray[Any] = file.get_tensor("truth")
        return truth

    def truths(self) -> Iterator[NDArray[Any]]:
        """All truths, one after the other; after `compute`."""
        for index in range(len(self.items)):
            yield self.truth(index)

    @property
    def data_sha256(self) -> str:
        """Identity of pictures and truths, whatever their order."""
        rows = sorted(
            canonical_json([item.identity, item.truth_identity]).hex() for item in self.items
        )
        return hashlib.sha256(canonical_json(rows)).hexdigest()

    @property
    def identity(self) -> str:
        """Of features and truths in their order: what a training reads."""
        names = [[self._path(item).name, self._truth_path(item).name] for item in self.items]
        return hashlib.sha256(canonical_json(names)).hexdigest()

    def _look(self, together: Sequence[tuple[int, NDArray[np.uint8]]]) -> dict[int, Any]:
        """One pass of the backbone over pictures of one size."""
        pixels = np.stack([one for _, one in together])
        features = self._backbone(FrameBatch((_INFO,) * len(together), pixels))
        grids = {}
        for row, (index, _) in enumerate(together):
            arrays = self._reading.arrays(features, row)
            grids[index] = arrays["patches"].shape[1:3]
            Part(arrays, {"grid": list(grids[index])}).write(self._path(self.items[index]))
        return grids

    def _keep_truth(self, item: DenseItem) -> None:
        path = self._truth_path(item)
        if part_facts(path) is None:
            Part({"truth": np.ascontiguousarray(item.truth(self.size))}, {}).write(path)

    def _path(self, item: DenseItem) -> Path:
        loaded = self._backbone.loaded
        return self._place(
            {
                "pixels": item.identity,
                "blocks": list(self._reading.blocks),
                "normed": self._reading.normed,
                "weights": loaded.sha256,
                "model": loaded.model.architecture.name,
                "engine": self._backbone.identity,
            }
        )

    def _truth_path(self, item: DenseItem) -> Path:
        return self._place({"truth": item.truth_identity, "of": item.identity})

    def _place(self, what: Mapping[str, Any]) -> Path:
        size = {"short_side": self.size.short_side, "filter": FILTER_NAME, "dense": _FORMAT}
        name = hashlib.sha256(canonical_json({**what, **size})).hexdigest()[:40]
        return self._folder / name[:2] / f"{name}.safetensors"

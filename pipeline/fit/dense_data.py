"""Pictures with a truth for every pixel, as a head of maps learns from them or is measured on them.

Items and a feature store in -> `operators.learn.dense_pictures.DensePictures` out; truths are kept
beside the features, by content and size. Knows nothing of training.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import safe_open

from operators.learn.dense_pictures import DensePicture
from operators.result import canonical_json
from pipeline.features.reading import Reading
from pipeline.features.store import FeatureStore
from pipeline.features.stored import Part, part_facts
from pipeline.fit.dense_item import DenseItem, ThingItem

_FORMAT = 1

Tell = Callable[[int, int], None]
"""Pictures done, pictures in all."""


class DenseData:
    """Pictures of one kind of head."""

    def __init__(
        self,
        store: FeatureStore,
        items: Sequence[DenseItem],
        *,
        reading: Reading,
        masks: bool = False,
    ) -> None:
        """
        Args:
            store: computes what the cache lacks; its backbone keeps the blocks that are read.
            items: the pictures.
            reading: what the head reads.
            masks: those of things are read too; items are `ThingItem`s.
        """
        self.items = items
        self.with_masks = masks
        self._store = store
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
        steps = self._store.compute_maps(self._with_truths(), self._reading)
        for done, _ in enumerate(steps, start=1):
            tell(min(done, len(self.items)), len(self.items))
        self._grids = [self._grid(item) for item in self.items]

    def read(self, index: int) -> DensePicture:
        """One picture."""
        item = self.items[index]
        with safe_open(self._path(item), framework="pt") as file:
            patches, cls = file.get_tensor("patches"), file.get_tensor("cls")
        masks = torch.from_numpy(self.masks(index)) if self.with_masks else None
        return DensePicture(patches, cls, torch.from_numpy(self.truth(index)), masks)

    def truth(self, index: int) -> NDArray[Any]:
        """The truth of one picture, without its features."""
        with safe_open(self._truth_path(self.items[index]), framework="numpy") as file:
            truth: NDArray[Any] = file.get_tensor("truth")
        return truth

    def masks(self, index: int) -> NDArray[np.bool_]:
        """Of the things of one picture, `[M, H, W]`; of data with masks."""
        width = self._grids[index][1] * self._store.folder.size.patch
        with safe_open(self._truth_path(self.items[index]), framework="numpy") as file:
            packed: NDArray[np.uint8] = file.get_tensor("masks")
        return np.unpackbits(packed, axis=-1, count=width).view(np.bool_)

    def truths(self) -> Iterator[NDArray[Any]]:
        """All truths, one after the other; after `compute`."""
        for index in range(len(self.items)):
            yield self.truth(index)

    @property
    def data_sha256(self) -> str:
        """Identity of pictures and truths, whatever their order."""
        rows = sorted(
            canonical_json([item.identity, self._truth_identity(item)]).hex() for item in self.items
        )
        return hashlib.sha256(canonical_json(rows)).hexdigest()

    @property
    def identity(self) -> str:
        """Of features and truths in their order: what a training reads."""
        names = [[self._path(item).name, self._truth_path(item).name] for item in self.items]
        return hashlib.sha256(canonical_json(names)).hexdigest()

    def _with_truths(self) -> Iterator[DenseItem]:
        """Every item; its truth is kept first, since a scene renders both at once."""
        for item in self.items:
            self._keep_truth(item)
            yield item

    def _grid(self, item: DenseItem) -> tuple[int, int]:
        facts = part_facts(self._path(item))
        assert facts is not None, f"{item.name} is not computed"
        return facts["grid"][0], facts["grid"][1]

    def _keep_truth(self, item: DenseItem) -> None:
        path = self._truth_path(item)
        if part_facts(path) is None:
            size = self._store.folder.size
            kept = {"truth": np.ascontiguousarray(item.truth(size))}
            if self.with_masks:
                kept["masks"] = np.packbits(_thing(item).masks(size), axis=-1)
            Part(kept, {}).write(path)

    def _path(self, item: DenseItem) -> Path:
        return self._store.map_file(item, self._reading)

    def _truth_path(self, item: DenseItem) -> Path:
        what = {"truth": self._truth_identity(item), "of": item.identity, "dense": _FORMAT}
        return self._store.folder.place(what)

    def _truth_identity(self, item: DenseItem) -> Mapping[str, Any]:
        masks = _thing(item).mask_identity if self.with_masks else {}
        return {**item.truth_identity, **masks}


def _thing(item: DenseItem) -> ThingItem:
    assert isinstance(item, ThingItem), f"{item.name} has no things"
    return item

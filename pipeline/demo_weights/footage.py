"""Rendered clips with their truth, read at random from the files that `rendering` made."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from operators.supervised.clips import Clips
from pipeline.demo_weights.recipe import Recipe


class Footage:
    """All clips of a recipe, held in memory."""

    def __init__(self, folder: Path, recipe: Recipe) -> None:
        """Open what `rendering.render` has made."""
        parts = [_load(recipe.path(folder, part)) for part in range(recipe.parts)]
        self._parts = parts
        self._size_wh = recipe.size_wh
        self.name = f"{recipe.scene} {recipe.size_wh[0]}x{recipe.size_wh[1]}"
        self._sizes = np.cumsum([len(part["actions"]) for part in parts])

    def __len__(self) -> int:
        return int(self._sizes[-1])

    @property
    def pixels(self) -> int:
        """Of a frame."""
        return self._size_wh[0] * self._size_wh[1]

    def clips(self, numbers: Sequence[int]) -> Clips:
        """Some of them, in the order given."""
        rows = [self._row(number) for number in numbers]
        return Clips(
            pixels=torch.from_numpy(np.stack([row["pixels"] for row in rows])),
            depth_m=torch.from_numpy(np.stack([row["depth_m"] for row in rows]).astype(np.float32)),
            classes=torch.from_numpy(np.stack([row["classes"] for row in rows]).astype(np.int64)),
            actions=torch.from_numpy(np.array([row["actions"] for row in rows]).astype(np.int64)),
        )

    def _row(self, number: int) -> dict[str, NDArray[np.generic]]:
        part = int(np.searchsorted(self._sizes, number, side="right"))
        own = number - (int(self._sizes[part - 1]) if part else 0)
        return {name: values[own] for name, values in self._parts[part].items()}


class Mix:
    """Footage of several sizes, each with its share of what is drawn."""

    def __init__(self, parts: Sequence[Footage], shares: Sequence[int]) -> None:
        """
        Args:
            parts: of one size each.
            shares: how often each is drawn, beside the others.
        """
        self.parts = tuple(parts)
        self._shares = torch.tensor(shares, dtype=torch.float64)

    def draw(self, batch: int, draw: torch.Generator) -> Clips:
        """Clips of one size: as many pixels as `batch` clips of the first size have."""
        chosen = int(torch.multinomial(self._shares, 1, generator=draw))
        part = self.parts[chosen]
        count = max(1, round(batch * self.parts[0].pixels / part.pixels))
        return part.clips(torch.randint(len(part), (count,), generator=draw).tolist())


def _load(path: Path) -> dict[str, NDArray[np.generic]]:
    with np.load(path, allow_pickle=False) as file:
        return {name: file[name] for name in file.files}

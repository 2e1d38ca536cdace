"""Rendered clips with their truth, on disk: made once by several processes, read at random.

A scene, a size and seeds in -> `Clips` out. What is there is not made again.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from operators.frames import PATCH
from operators.pretrain.clips import CELLS, Clips
from pipeline.synthetic.action import ACTIONS
from pipeline.synthetic.labels import SKY
from pipeline.synthetic.renderer import SceneFrame
from pipeline.synthetic.scene import open_scene
from pipeline.synthetic.uri import SceneSpec

CLIPS_PER_FILE = 50


@dataclass(frozen=True, slots=True)
class Recipe:
    """Which clips.

    Attributes:
        scene: of `synthetic:`.
        first_seed: of the first clip; the others follow.
        clips: how many.
        frames: T of a clip.
        fps: frames per second of footage.
        side: of the square frames, pixels.
        paces: a scene does its action in so many times the length of a clip; the clip is some part
            of it.
    """

    scene: str
    first_seed: int
    clips: int
    frames: int = 8
    fps: int = 5
    side: int = 112
    paces: tuple[int, ...] = (1, 2, 4)

    @property
    def name(self) -> str:
        """Of its folder: another recipe has another."""
        text = json.dumps(asdict(self), sort_keys=True)
        return f"{self.scene}-{self.side}-{hashlib.sha256(text.encode()).hexdigest()[:10]}"

    def seeds(self, part: int) -> range:
        """Of the clips in one file."""
        end = self.first_seed + self.clips
        first = self.first_seed + part * CLIPS_PER_FILE
        return range(first, min(first + CLIPS_PER_FILE, end))

    @property
    def parts(self) -> int:
        """Files in all."""
        return -(-self.clips // CLIPS_PER_FILE)

    def spec(self, seed: int, pace: int) -> SceneSpec:
        """A scene at a pace, as `synthetic:` knows it."""
        seconds = self.frames * pace / self.fps
        size_wh = (self.side, self.side)
        return SceneSpec(self.scene, seed=seed, seconds=seconds, fps=self.fps, size_wh=size_wh)


class Footage:
    """All clips of a recipe, held in memory."""

    def __init__(self, folder: Path, recipe: Recipe) -> None:
        """Open what `render` has made."""
        parts = [_load(_path(folder, recipe, part)) for part in range(recipe.parts)]
        self._parts = parts
        self._sizes = np.cumsum([len(part["actions"]) for part in parts])

    def __len__(self) -> int:
        return int(self._sizes[-1])

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


def render(folder: Path, recipe: Recipe, *, processes: int) -> Iterator[int]:
    """Make what is missing; yields how many clips are there, again and again.

    Args:
        folder: where recipes have their folders.
        recipe: which clips.
        processes: at work at a time.
    """
    missing = [p for p in range(recipe.parts) if not _path(folder, recipe, p).exists()]
    done = recipe.clips - sum(len(recipe.seeds(part)) for part in missing)
    yield done
    with ProcessPoolExecutor(processes) as pool:
        for count in pool.map(_make, [(folder, recipe, part) for part in missing]):
            done += count
            yield done


def _make(what: tuple[Path, Recipe, int]) -> int:
    folder, recipe, part = what
    seeds = recipe.seeds(part)
    rows = [_rendered(recipe, seed) for seed in seeds]
    path = _path(folder, recipe, part)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".part")
    with partial.open("wb") as file:
        arrays = {name: np.stack([row[name] for row in rows]) for name in rows[0]}
        np.savez(file, allow_pickle=False, **arrays)
    os.replace(partial, path)
    return len(seeds)


def _rendered(recipe: Recipe, seed: int) -> dict[str, NDArray[np.generic]]:
    draw = np.random.default_rng(seed)
    pace = int(draw.choice(recipe.paces))
    scene = open_scene(recipe.spec(seed, pace))
    first = int(draw.integers(0, scene.frame_count - recipe.frames + 1))
    frames = [scene.render(first + index) for index in range(recipe.frames)]
    height, width = frames[0].depth_m.shape
    at = np.ix_(_cell_centres(height), _cell_centres(width))
    return {
        "pixels": np.stack([frame.rgb for frame in frames]),
        "depth_m": np.stack([_known(frame)[at] for frame in frames]).astype(np.float16),
        "classes": np.stack([frame.classes[at] for frame in frames]),
        "actions": np.array(ACTIONS.index(scene.action)),
    }


def _known(frame: SceneFrame) -> NDArray[np.float32]:
    """Depth, 0 where there is only sky."""
    return np.where(frame.classes == SKY, np.float32(0), frame.depth_m)


def _cell_centres(side: int) -> NDArray[np.int64]:
    """Of the pixels in the middle of every cell; the same from left and from right."""
    count = side // PATCH * CELLS
    return np.floor((np.arange(count) + 0.5) * side / count).astype(np.int64)


def _path(folder: Path, recipe: Recipe, part: int) -> Path:
    return folder / recipe.name / f"{part:04d}.npz"


def _load(path: Path) -> dict[str, NDArray[np.generic]]:
    with np.load(path, allow_pickle=False) as file:
        return {name: file[name] for name in file.files}

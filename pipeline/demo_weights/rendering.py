"""Renders clips with their truth to disk, once, in several processes: a recipe in -> files out.

Knows no torch, so that its processes start fast.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from operators.backbones.architectures import ARCHITECTURES, DEMO_MODEL
from operators.frames import CELLS
from pipeline.demo_weights.recipe import Recipe
from pipeline.synthetic.action import ACTIONS
from pipeline.synthetic.labels import SKY
from pipeline.synthetic.renderer import SceneFrame
from pipeline.synthetic.scene import open_scene

_PATCH = ARCHITECTURES[DEMO_MODEL].patch


def render(folder: Path, recipe: Recipe, *, processes: int) -> Iterator[int]:
    """Make what is missing; yields how many clips are there, again and again.

    Args:
        folder: where recipes have their folders.
        recipe: which clips.
        processes: at work at a time.
    """
    missing = [p for p in range(recipe.parts) if not recipe.path(folder, p).exists()]
    done = recipe.clips - sum(len(recipe.seeds(part)) for part in missing)
    yield done
    # A fork of a process with threads inherits their locks, held for ever.
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=spawn) as pool:
        for count in pool.map(_make, [(folder, recipe, part) for part in missing]):
            done += count
            yield done


def _make(what: tuple[Path, Recipe, int]) -> int:
    folder, recipe, part = what
    seeds = recipe.seeds(part)
    rows = [_rendered(recipe, seed) for seed in seeds]
    path = recipe.path(folder, part)
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
    first = int(draw.integers(0, scene.frame_count - recipe.span + 1))
    numbers = range(first, first + recipe.span, recipe.apart)
    frames = [scene.render(number) for number in numbers]
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
    count = side // _PATCH * CELLS
    return np.floor((np.arange(count) + 0.5) * side / count).astype(np.int64)

"""Footage on which nothing is wrong: names in -> its recordings, which of them do what, and their
patch grids.

Knows nothing of memories or thresholds.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from operators.backbones.backbone import Backbone
from operators.errors import UsageError
from operators.learn.splits import Parts, split
from pipeline.configuration.sources import plan_recordings
from pipeline.features.clip import Clip, is_scene
from pipeline.features.glance import Glance
from pipeline.features.patch_grids import Grids, outcome_of, patch_grids
from pipeline.features.store import FeatureStore

log = logging.getLogger(__name__)

_LABEL = "normal"


def recordings_here(names: Sequence[str]) -> list[str]:
    """Files and rendered scenes, in a fixed order.

    Args:
        names: files, folders, globs and `synthetic:` URIs.

    Raises:
        UsageError: nothing there, or a stream of a network.
    """
    found = [plan.url for plan in plan_recordings(names)]
    if away := [url for url in found if "://" in url]:
        raise UsageError(
            f"{away[0]}: such footage is read again and again; fetch it, and give the file"
        )
    return found


def normal_recordings(names: Sequence[str]) -> list[str]:
    """Files and rendered scenes, in a fixed order.

    Args:
        names: files, folders, globs and `synthetic:` URIs.

    Raises:
        UsageError: nothing there, a stream of a network, or one recording alone.
    """
    found = recordings_here(names)
    if len(found) < 2:
        raise UsageError(
            f"{found[0]} is one recording alone: a threshold wants others than those that are "
            "learnt from; give two or more, best of different days, or cut it with a pause between"
        )
    return found


@dataclass(frozen=True, slots=True)
class NormalFootage:
    """Recordings whose features a store holds.

    Attributes:
        clips: of the recordings.
        contents: what identifies each, wherever it lies.
        parts: which of them are learnt from, choose the threshold and measure alarms.
        grid_hw: patches down and across.
    """

    clips: tuple[Clip, ...]
    contents: tuple[str, ...]
    parts: Parts
    grid_hw: tuple[int, int]
    _store: FeatureStore
    _glance: Glance

    @property
    def rendered(self) -> bool:
        """All of them are scenes."""
        return all(is_scene(str(clip.path)) for clip in self.clips)

    def learnt(self) -> Iterator[Tensor]:
        """Patches of what is learnt from, `[n, h, w, D]` at a time, always in the same order,
        however the recordings are called."""
        for index in sorted(self.parts.train.tolist(), key=lambda one: self.contents[one]):
            for grids in self.grids(index):
                yield torch.from_numpy(grids.patches)

    def grids(self, index: int) -> Iterator[Grids]:
        """Of one recording."""
        return patch_grids(self._store, self.clips[index], self._glance)


def normal_footage(
    recordings: Sequence[str],
    store: FeatureStore,
    backbone: Backbone,
    *,
    fps: float,
    seed: int,
    tell: Callable[[str, int, int], None],
) -> NormalFootage:
    """Compute what the store lacks of some recordings, and divide them.

    Args:
        recordings: files and scenes.
        store: of the backbone.
        backbone: whose features.
        fps: frames per second of media time.
        seed: of the division.
        tell: told how far it is.

    Raises:
        UsageError: copies of one recording alone, or pictures of several shapes.
        SourceError: one cannot be decoded; names it.
    """
    given = [Clip(Path(name), fps, patches=True) for name in recordings]
    by_content: dict[str, Clip] = {}
    for clip in given:
        by_content.setdefault(clip.content, clip)
    contents, clips = tuple(by_content), tuple(by_content.values())
    if len(clips) < 2:
        raise UsageError(
            f"{recordings[0]} and {len(recordings) - 1} more are copies of one recording; give two "
            "or more"
        )
    if left_out := len(given) - len(clips):
        log.warning("%d recordings are copies of others: each counts once", left_out)
    parts = split(contents, np.zeros(len(clips), dtype=np.int64), [_LABEL], seed=seed)
    for index, clip in enumerate(clips):
        ahead = clips[index + 1] if index + 1 < len(clips) else None
        for share in store.compute(clip, ahead=ahead):
            done = 100 * (index + (share or 0)) / len(clips)
            tell("features, of a hundred parts", round(done), 100)
        if why := outcome_of(store, clip):
            log.warning("%s: %s; what can be decoded is used", clip.path, why)
    glance = Glance(backbone)
    return NormalFootage(clips, contents, parts, _grid_hw(clips, store, glance), store, glance)


def _grid_hw(clips: Sequence[Clip], store: FeatureStore, glance: Glance) -> tuple[int, int]:
    """Of all of them."""
    shapes: dict[tuple[int, int], Path] = {}
    for clip in clips:
        first = next(patch_grids(store, clip, glance), None)
        if first is None:
            raise UsageError(f"{clip.path}: no frame in it; take it out")
        _, h, w, _ = first.patches.shape
        shapes.setdefault((h, w), clip.path)
    if len(shapes) > 1:
        told = ", ".join(f"{path} has {h} x {w}" for (h, w), path in shapes.items())
        raise UsageError(
            f"footage of one still camera has one shape, in patches down x across: {told}; fit a "
            "head for each camera"
        )
    return next(iter(shapes))

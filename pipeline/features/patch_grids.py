"""Patch grids of a recording that a feature store holds, a part after another: never all at once.

A grid takes 100 times the room of a frame's vectors; an hour of them does not fit into memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.features.clip import Clip
from pipeline.features.glance import Glance
from pipeline.features.store import FeatureStore
from pipeline.features.stored import Floats, Part, part_facts


@dataclass(frozen=True, slots=True)
class Grids:
    """Some frames of a recording.

    Attributes:
        times_s: float64 `[n]`, event times, seconds since the epoch.
        patches: float32 `[n, h, w, D]`, of the last block after the final norm.
    """

    times_s: NDArray[np.float64]
    patches: Floats


def patch_grids(store: FeatureStore, clip: Clip, glance: Glance) -> Iterator[Grids]:
    """All frames of a recording, in order.

    Args:
        store: holds all of it, patches too (`store.compute`).
        clip: with `patches`.
        glance: of the backbone that computed them.
    """
    for path in store.token_files(clip):
        part = Part.read(path)
        if part.arrays:
            raw = part.arrays["patches"].astype(np.float32)
            yield Grids(part.arrays["times_us"] / 1e6, glance.norm(raw))


def outcome_of(store: FeatureStore, clip: Clip) -> str:
    """How decoding a complete recording went: empty, or why frames are missing, for people."""
    facts = part_facts(store.token_files(clip)[-1])
    assert facts is not None
    end = facts["end"]
    return "" if end["outcome"] == "ok" else str(end["detail"] or end["outcome"])

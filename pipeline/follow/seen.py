"""What a backbone saw in a recording, frame by frame and in any order, out of a feature store.

32 frames are in memory at a time: those of one file of the store.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import safe_open

from operators.backbones.backbone import Backbone
from operators.errors import UsageError
from pipeline.features.clip import Clip
from pipeline.features.glance import Glance
from pipeline.features.store import FeatureStore
from pipeline.features.stored import Floats, part_facts


class SeenClip:
    """The frames of a recording, numbered from 0 as they were sampled.

    Attributes:
        times_us: int64 `[n]`, event times, microseconds.
        times_s: float64 `[n]`, seconds since the recording's first frame.
        source_hw: height and width as displayed, pixels.
        trouble: why frames were lost up to the end of its span, "" where none were.
    """

    def __init__(self, store: FeatureStore, clip: Clip, backbone: Backbone) -> None:
        """
        Args:
            store: holds all of it.
            clip: with its patches.
            backbone: the store's.

        Raises:
            UsageError: no frame lies in the clip's span.
        """
        files = [(path, _times_us(path)) for path in store.token_files(clip)]
        facts = [part_facts(path) or {} for path, _ in files]
        self._files = [path for path, times in files if len(times)]
        self._ends = list(accumulate(len(times) for _, times in files if len(times)))
        if not self._files:
            length_s = (facts[-1]["last_us"] - facts[0]["first_us"]) / 1e6
            raise UsageError(
                f"{clip.path}: no frame from {clip.start_s:g} s on; its last one is at "
                f"{length_s:.1f} s"
            )
        self.times_us: NDArray[np.int64] = np.concatenate([times for _, times in files])
        self.times_s: NDArray[np.float64] = (self.times_us - facts[0]["first_us"]) / 1e6
        self.source_hw = self._only_size(clip, facts)
        end = facts[-1]["end"]
        self.trouble: str = "" if end["outcome"] == "ok" else end["detail"]
        self._norm = Glance(backbone).norm
        self._held: tuple[Path, Floats] | None = None

    def _only_size(self, clip: Clip, facts: Sequence[Mapping[str, Any]]) -> tuple[int, int]:
        """Height and width of all of its frames.

        Raises:
            UsageError: they change.
        """
        # Older caches do not say when sizes changed.
        told = [one.get("sizes", [(0.0, *one["source_hw"])]) for one in facts]
        sizes = [(time_s, (height, width)) for of_part in told for time_s, height, width in of_part]
        first_s, last_s = self.times_s[0], self.times_s[-1]
        own = [hw for time_s, hw in sizes if time_s <= first_s][-1]
        for time_s, other in sizes:
            if first_s < time_s <= last_s and other != own:
                raise UsageError(one_size(clip, own, other, f" at {time_s:.1f} s"))
        return own

    def __len__(self) -> int:
        return len(self.times_us)

    def patches(self, number: int) -> Floats:
        """Of one frame, after the backbone's final norm, float32 `[h, w, D]`."""
        at = bisect_right(self._ends, number)
        path = self._files[at]
        if self._held is None or self._held[0] != path:
            self._held = path, self._norm(_patches(path).astype(np.float32))
        within: Floats = self._held[1][number - (self._ends[at - 1] if at else 0)]
        return within


def one_size(clip: Clip, own: tuple[int, int], other: tuple[int, int], when: str) -> str:
    """Why a recording cannot be followed whose pictures change from one height and width to
    another."""
    return (
        f"{clip.path}: its picture changes from {own[1]}x{own[0]} to {other[1]}x{other[0]}{when}, "
        "and masks are of one size; end before that with --to, or begin behind it"
    )


def _times_us(path: Path) -> NDArray[np.int64]:
    with safe_open(path, framework="numpy") as file:
        held = "times_us" in list(file.keys())
        times: NDArray[np.int64] = (
            file.get_tensor("times_us") if held else np.zeros(0, dtype=np.int64)
        )
    return times


def _patches(path: Path) -> NDArray[Any]:
    with safe_open(path, framework="numpy") as file:
        patches: NDArray[Any] = file.get_tensor("patches")
    return patches

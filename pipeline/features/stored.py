"""Features of one file as the cache holds them: arrays in -> one safetensors file, and back.

Knows nothing of decoding, of backbones or of what is learnt from them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from operators.whole_file import whole_file

Floats = NDArray[np.float32]
TOKENS = "tokens"
_FACTS_KEY = "dinostream"


@dataclass(frozen=True, slots=True)
class StoredFeatures:
    """What the backbone saw in one file, in the order of its frames.

    Attributes:
        times_s: float64 `[n]`, seconds since the file's first frame.
        times_us: int64 `[n]`, event times, microseconds since the epoch.
        clock: what event times are anchored to: container, start-time or media.
        cls: float32 `[n, L, D]`, class tokens after the final norm of the last L blocks, the
            oldest first.
        mean_patch: float32 `[n, D]`, mean of the last block's patches after the final norm.
        cells: float16 `[n, C, D]`, their means in each of `operators.vector.motion`'s cells.
        breaks: rows before which the footage breaks, so that no window reaches across.
        source_hw: height and width as displayed, pixels.
        duration_s: from the first frame to the end of the last one.
        outcome: how decoding ended: `ok`, or `degraded` where frames were lost.
        detail: why, for a person.
        raw_patches: float32 `[n, h, w, D]`, the last block's patches *before* the final norm;
            None where they were not asked for.
        raw_cls: float32 `[n, D]`, its class token before the final norm; None likewise.
        norm: the backbone's final norm, `[..., D]` -> `[..., D]`.
    """

    times_s: NDArray[np.float64]
    times_us: NDArray[np.int64]
    clock: str
    cls: Floats
    mean_patch: Floats
    cells: NDArray[np.float16]
    breaks: tuple[int, ...]
    source_hw: tuple[int, int]
    duration_s: float
    outcome: str = "ok"
    detail: str = ""
    raw_patches: Floats | None = None
    raw_cls: Floats | None = None
    norm: Callable[[Floats], Floats] | None = None

    def __len__(self) -> int:
        return len(self.times_s)

    @property
    def patches(self) -> Floats | None:
        """Patches after the final norm `[n, h, w, D]`, computed anew at every call."""
        if self.raw_patches is None or self.norm is None:
            return None
        return self.norm(self.raw_patches)


@dataclass(frozen=True, slots=True)
class Part:
    """Some frames of a file, as many as one cache file holds.

    Attributes:
        arrays: `vectors` float32 `[n, L + 1, D]` (class tokens, then the mean patch), `cells`
            float16 `[n, C, D]`, `times_us` int64 `[n]`; with patches `patches` float16
            `[n, h, w, D]` and `cls` float32 `[n, D]`; where they were asked for, `tokens` float16
            `[n, N, D]`.
        facts: JSON values: where decoding goes on, breaks, sizes, how it ended.
    """

    arrays: Mapping[str, NDArray[Any]]
    facts: Mapping[str, Any]

    def write(self, path: Path) -> None:
        """Put it where `path` says, whole or not at all."""
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as draft:
            save_file(dict(self.arrays), draft, metadata={_FACTS_KEY: json.dumps(self.facts)})

    @classmethod
    def read(cls, path: Path) -> Part:
        """A part that `part_facts` found; its tokens stay there, for `TokenFiles`."""
        with safe_open(path, framework="numpy") as file:
            names = [name for name in list(file.keys()) if name != TOKENS]
            facts = json.loads(file.metadata()[_FACTS_KEY])
            return cls({name: file.get_tensor(name) for name in names}, facts)


def part_facts(path: Path) -> Mapping[str, Any] | None:
    """The facts of the part that lies there; None where nothing does, or nothing whole."""
    try:
        with safe_open(path, framework="numpy") as file:
            facts = json.loads((file.metadata() or {})[_FACTS_KEY])
    except (OSError, SafetensorError, ValueError, KeyError):
        return None
    return facts if isinstance(facts, dict) else None


def joined(
    parts: Sequence[Part], *, norm: Callable[[Floats], Floats], duration_s: float
) -> StoredFeatures:
    """The features of a file out of its parts.

    Args:
        parts: all of them, in order.
        norm: the backbone's final norm.
        duration_s: of the file.
    """
    vectors = _stack(parts, "vectors")
    times_us: NDArray[np.int64] = _stack(parts, "times_us")
    first, last = parts[0].facts, parts[-1].facts
    with_patches = "patches" in parts[0].arrays
    return StoredFeatures(
        times_s=(times_us - first["first_us"]) / 1e6,
        times_us=times_us,
        clock=first["clock"],
        cls=vectors[:, :-1],
        mean_patch=vectors[:, -1],
        cells=_stack(parts, "cells"),
        breaks=_breaks(parts),
        source_hw=(first["source_hw"][0], first["source_hw"][1]),
        duration_s=duration_s,
        outcome=last["end"]["outcome"],
        detail=last["end"]["detail"],
        raw_patches=_stack(parts, "patches").astype(np.float32) if with_patches else None,
        raw_cls=_stack(parts, "cls") if with_patches else None,
        norm=norm,
    )


def _stack(parts: Sequence[Part], name: str) -> NDArray[Any]:
    return np.concatenate([part.arrays[name] for part in parts])


def _breaks(parts: Sequence[Part]) -> tuple[int, ...]:
    begun, rows = 0, []
    for part in parts:
        rows += [begun + row for row in part.facts["breaks"]]
        begun += len(part.arrays["times_us"])
    return tuple(row for row in rows if 0 < row < begun)

"""Labelled windows over the vectors of frames: what every vector head is trained on.

Tokens of frames and windows of their rows in -> one matrix per choice of tokens and pooling out.
Knows nothing of files, of sampling or of how a head is trained.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from operators.vector.frame_vector import FrameVector
from operators.vector.pooling import pooled_width

Floats = NDArray[np.float32]
Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Examples:
    """M windows of T frames.

    Attributes:
        parts: float32 `[n, P, D]`, tokens of every frame: class tokens of the last blocks, the
            oldest first, and with `mean_patch` the mean patch behind them.
        mean_patch: whether the last part is the mean patch.
        rows: int64 `[M, T]`, the frames of every window; a short one repeats its last frame.
        present: int64 `[M]`, how many frames it really has.
        targets: int64 `[M]`, class ids.
        groups: what belongs together, one per window: a file, or a day.
        labels: names of the classes.
        unit: frames' vectors are divided by their length.
        cells: float16 `[n, C, D]`, `operators.vector.motion.averaged_cells` of every frame, or
            None.
    """

    parts: Floats
    mean_patch: bool
    rows: Rows
    present: Rows
    targets: Rows
    groups: tuple[str, ...]
    labels: tuple[str, ...]
    unit: bool = False
    cells: NDArray[np.float16] | None = None

    def __post_init__(self) -> None:
        count = len(self.rows)
        if not count == len(self.present) == len(self.targets) == len(self.groups) > 0:
            counts = (count, len(self.present), len(self.targets), len(self.groups))
            raise ValueError(f"windows, targets and groups must agree, got {counts}")
        if self.targets.min() < 0 or self.targets.max() >= len(self.labels):
            raise ValueError(f"targets must be from 0 to {len(self.labels) - 1}")

    @property
    def frames(self) -> int:
        """T."""
        return int(self.rows.shape[1])

    @property
    def blocks(self) -> int:
        """Of how many last blocks there are class tokens."""
        return int(self.parts.shape[1]) - self.mean_patch

    def choices(self) -> tuple[FrameVector, ...]:
        """The frame vectors to try: DINOv2's, the last block or the last four, as far as there
        are tokens for them, with and without the mean patch."""
        patches = (False, True) if self.mean_patch else (False,)
        blocks = (1, self.blocks) if self.blocks > 1 else (1,)
        return tuple(FrameVector(count, patch) for count in blocks for patch in patches)

    def vectors(self, vector: FrameVector) -> Tensor:
        """Vectors of all frames, float32 `[n, F]`, as `FrameVector.of` gives them."""
        chosen = self.parts[:, self.places(vector)]
        flat = torch.from_numpy(chosen.reshape(len(self.parts), -1))
        return flat / flat.norm(dim=1, keepdim=True) if self.unit else flat

    def places(self, vector: FrameVector) -> list[int]:
        """Which of a frame's parts the vector is made of."""
        chosen = list(range(self.blocks - vector.blocks, self.blocks))
        return [*chosen, self.parts.shape[1] - 1] if vector.mean_patch else chosen

    def take(self, windows: Sequence[int] | Rows) -> Examples:
        """Some windows, over the same frames."""
        chosen = np.asarray(windows, dtype=np.int64)
        return replace(
            self,
            rows=self.rows[chosen],
            present=self.present[chosen],
            targets=self.targets[chosen],
            groups=tuple(self.groups[number] for number in chosen),
        )

    def alone(self) -> tuple[Examples, Rows]:
        """The same windows over no frames but their own, and which rows those were."""
        own, rows = np.unique(self.rows, return_inverse=True)
        return replace(self, parts=self.parts[own], rows=rows.reshape(self.rows.shape)), own


def window_rows(count: int, frames: int, stride: int) -> list[tuple[int, int]]:
    """The windows that `operators.action.windows` makes of an unbroken run: first row and frames.

    Args:
        count: frames of the run.
        frames: T.
        stride: frames from the start of a window to the next one's.
    """
    starts = range(0, count - frames + 1, stride)
    windows = [(start, frames) for start in starts]
    covered = starts[-1] + frames if windows else 0
    if covered < count:
        start = starts[-1] + stride if windows else 0
        windows.append((start, count - start))
    return windows


def gathered(vectors: Tensor, examples: Examples, pooling: str) -> Tensor:
    """Windows pooled without a query, `[M, F]` (mean) or `[M, T F]` (concat).

    Args:
        vectors: `[n, F]`.
        examples: whose windows.
        pooling: mean or concat.
    """
    own = vectors[torch.from_numpy(examples.rows)]
    if pooling == "concat":
        return own.flatten(1)
    return (own * presence(examples)[:, :, None]).sum(dim=1) / torch.from_numpy(
        examples.present
    ).view(-1, 1)


def presence(examples: Examples) -> Tensor:
    """1 where a window has a frame of its own, else 0: float32 `[M, T]`."""
    steps = torch.arange(examples.frames)[None]
    return (steps < torch.from_numpy(examples.present)[:, None]).float()


def width(examples: Examples, vector: FrameVector, pooling: str) -> int:
    """How many numbers a pooled window has."""
    depth = vector.blocks + vector.mean_patch
    return pooled_width(pooling, examples.frames, depth * examples.parts.shape[2])

"""One world followed by one eye, from its first frame on: J, F, and whether a loss is told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from benchmarks.follow.footage import World
from operators.davis.contour import contour
from operators.davis.region import region
from operators.follow.follower import Follower
from operators.follow.masks import Way, picture_mask
from operators.follow.rules import Rules
from operators.follow.seed import Marks, seed


@dataclass(slots=True)
class Agreement:
    """Of things in frames behind the first.

    Attributes:
        region, contour: one mean of each thing.
        first: J of each thing's seed, in the first frame.
        absent: frames in which a thing is not to be seen, and how many of these have no mask.
        present: frames in which it is, and how many of these have none.
    """

    region: list[float] = field(default_factory=list)
    contour: list[float] = field(default_factory=list)
    first: list[float] = field(default_factory=list)
    absent: list[int] = field(default_factory=lambda: [0, 0])
    present: list[int] = field(default_factory=lambda: [0, 0])

    def plain(self) -> dict[str, object]:
        """JSON values."""
        j, f = float(np.mean(self.region)), float(np.mean(self.contour))
        return {
            "things": len(self.region),
            "j_and_f": round((j + f) / 2, 4),
            "j": round(j, 4),
            "f": round(f, 4),
            "j_first": round(float(np.mean(self.first)), 4),
            "absent_frames": self.absent[0],
            "absent_told": self.absent[1],
            "present_frames": self.present[0],
            "present_lost": self.present[1],
        }


def seed_by_mask(own: World, first: Tensor) -> Tensor:
    """As DINOv3 does for DAVIS: the true mask, the pixel in the middle of each patch."""
    rows, columns = (
        ((torch.arange(patches) + 0.5) * pixels / patches).long()
        for patches, pixels in zip(first.shape[:2], own.ids[0].shape, strict=True)
    )
    ids = torch.from_numpy(own.ids[0])[rows][:, columns]
    return torch.nn.functional.one_hot(ids.long(), 1 + len(own.names)).float()


def seed_by_click(own: World, first: Tensor) -> Tensor:
    """One click on each thing, far from its edge."""
    grid = first.shape[:2]
    return seed(first, [Marks(points=(_inside(own.ids[0] == one, grid),)) for one in _things(own)])


def seed_by_box(own: World, first: Tensor) -> Tensor:
    """The box around each thing."""
    return seed(first, [Marks(box=_box(own.ids[0] == one)) for one in _things(own)])


SEEDS = {"mask": seed_by_mask, "click": seed_by_click, "box": seed_by_box}


def trial(
    own: World, patches: Sequence[Tensor], seeded: Tensor, way: Way, told: Agreement, rules: Rules
) -> None:
    """Follow, and add what came of it.

    Args:
        own: the world.
        patches: of its frames.
        seeded: probabilities of the first.
        way: how masks are made as large as the picture.
        told: that is added to.
        rules: of the propagation.
    """
    height, width = own.ids[0].shape
    follower = Follower(patches[0], seeded, rules)
    masks = [picture_mask(seeded, (height, width), way)]
    masks += [picture_mask(follower.step(one), (height, width), way) for one in patches[1:]]
    for thing in _things(own):
        pairs = [(mask == thing, ids == thing) for mask, ids in zip(masks, own.ids, strict=True)]
        told.first.append(region(*pairs[0]))
        told.region.append(float(np.mean([region(*pair) for pair in pairs[1:]])))
        told.contour.append(float(np.mean([contour(*pair) for pair in pairs[1:]])))
        for mask, truth in pairs[1:]:
            count = told.present if truth.any() else told.absent
            count[0] += 1
            count[1] += not mask.any()


def _things(own: World) -> range:
    return range(1, len(own.names) + 1)


def _inside(mask: NDArray[np.bool_], grid_hw: Sequence[int]) -> tuple[int, int]:
    """The patch of the pixel that is furthest from the mask's edge, rows and columns alone."""
    wide = mask.astype(int)
    across = np.minimum(_run(wide), _run(wide[:, ::-1])[:, ::-1])
    down = np.minimum(_run(wide.T).T, _run(wide.T[:, ::-1])[:, ::-1].T)
    y, x = np.unravel_index(int(np.minimum(across, down).argmax()), mask.shape)
    return int(y * grid_hw[0] / mask.shape[0]), int(x * grid_hw[1] / mask.shape[1])


def _run(mask: NDArray[np.int_]) -> NDArray[np.int_]:
    """Pixels of the mask in a row up to each one, from the left."""
    count = mask.cumsum(axis=1)
    gone = np.maximum.accumulate(np.where(mask == 0, count, 0), axis=1)
    told: NDArray[np.int_] = count - gone
    return told


def _box(mask: NDArray[np.bool_]) -> tuple[float, float, float, float]:
    rows, columns = np.nonzero(mask)
    height, width = mask.shape
    return (
        columns.min() / width,
        rows.min() / height,
        (columns.max() + 1) / width,
        (rows.max() + 1) / height,
    )

"""What a person marks in one frame -> probabilities of its patches, which are followed from there.

Clicks: the patches that look like those clicked on, as far as they hang together with them. A box:
what within it looks less like what surrounds it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import max_pool2d, one_hot

from operators.follow.propagation import directions

Place = tuple[int, int]
"""Row and column of a patch."""

LIKE = 0.6  # least cosine to a patch clicked on; measured, see docs/follow.md
_ROUNDS = 5  # of telling a box's thing from its ground
_RING = 0.5  # of a box's sides: how far around it its ground is looked at


@dataclass(frozen=True, slots=True)
class Marks:
    """What is marked of one thing: patches clicked on, or a box in shares of the picture, or both.

    Attributes:
        points: row and column of each.
        box: left, top, right, bottom.
    """

    points: tuple[Place, ...] = ()
    box: tuple[float, float, float, float] | None = None


def seed(patches: Tensor, things: Sequence[Marks], against: Sequence[Place] = ()) -> Tensor:
    """Probabilities of background and things, 0 or 1, float32 `[h, w, 1 + things]`.

    Args:
        patches: of the frame, `[h, w, D]`.
        things: each with a point or a box.
        against: patches that belong to none of them.
    """
    seen = directions(patches.float() - patches.float().mean(dim=(0, 1)))
    told = torch.zeros(*seen.shape[:2], dtype=torch.long)
    for number, marks in enumerate(things, start=1):
        others = [place for one in things if one is not marks for place in one.points]
        told[_one(seen, marks, [*others, *against]) & (told == 0)] = number
    for number, marks in enumerate(things, start=1):
        for place in marks.points:  # whatever another one's box says
            told[place] = number
    return one_hot(told, 1 + len(things)).float()


def _one(seen: Tensor, marks: Marks, others: Sequence[Place]) -> Tensor:
    inside = torch.ones(seen.shape[:2], dtype=torch.bool)
    if marks.box:
        inside = _covered(marks.box, seen.shape[:2])
    if not marks.points:
        return _boxed(seen, inside)
    return _clicked(seen, inside, marks.points, others)


def _clicked(
    seen: Tensor, inside: Tensor, points: Sequence[Place], others: Sequence[Place]
) -> Tensor:
    """The connected patches around the points that look like them, and less like any other."""
    own = _likeness(seen, points)
    like = inside & (own > LIKE)
    if others:
        like &= own > _likeness(seen, others)
    found = torch.zeros_like(inside)
    for place in points:
        found[place] = like[place] = True
    return _grown(found, like)


def _boxed(seen: Tensor, inside: Tensor) -> Tensor:
    """What of a box is unlike its surroundings: two means, whose second holds the ring."""
    ring = _widened(inside) & ~inside
    thing = inside
    for _ in range(_ROUNDS if ring.any() else 0):
        own = directions(seen[thing].mean(dim=0))
        ground = directions(seen[ring | (inside & ~thing)].mean(dim=0))
        closer = inside & (seen @ own > seen @ ground)
        if not closer.any():
            break
        thing = closer
    return thing


def _likeness(seen: Tensor, places: Sequence[Place]) -> Tensor:
    """Cosine to the nearest of some patches, `[h, w]`."""
    rows, columns = zip(*places, strict=True)
    return (seen @ seen[list(rows), list(columns)].T).amax(dim=2)


def _covered(box: tuple[float, float, float, float], grid_hw: Sequence[int]) -> Tensor:
    """Patches whose middle a box holds; where it holds none, the one that its middle is in."""
    height, width = grid_hw
    left, top, right, bottom = box
    down, across = (torch.arange(count) + 0.5 for count in (height, width))
    rows = (down > top * height) & (down < bottom * height)
    columns = (across > left * width) & (across < right * width)
    rows[min(int((top + bottom) / 2 * height), height - 1)] = True
    columns[min(int((left + right) / 2 * width), width - 1)] = True
    return rows[:, None] & columns[None]


def _widened(inside: Tensor) -> Tensor:
    """A box with the ring around it."""
    sides = [int(inside.any(dim=1).sum()), int(inside.any(dim=0).sum())]
    down, across = (max(1, round(side * _RING)) for side in sides)
    near = max_pool2d(
        inside[None].float(), (2 * down + 1, 2 * across + 1), stride=1, padding=(down, across)
    )
    return near[0] > 0


def _grown(found: Tensor, like: Tensor) -> Tensor:
    """All that hangs together with what is found, side by side."""
    while True:
        wider = found.clone()
        wider[1:] |= found[:-1]
        wider[:-1] |= found[1:]
        wider[:, 1:] |= found[:, :-1]
        wider[:, :-1] |= found[:, 1:]
        wider &= like
        if torch.equal(wider, found):
            return found
        found = wider

"""Principal axes that follow a stream: the main directions of its points, steady over time.

Points of one frame, and the axes before it, in -> axes out. Each frame is one step of orthogonal
iteration (E. Oja, 1982; G. Golub and C. Van Loan, Matrix Computations, 7.3), so signs and order go
on from the frame before and no component is ever matched to another. Knows no pictures.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

_SPARE = 5  # directions that the first iteration carries along, so that it converges
_ROUNDS = 10
_ENOUGH = 0.02  # share of the points; fewer move nothing


@dataclass(frozen=True, slots=True)
class Axes:
    """K directions through D dimensions.

    Attributes:
        mean: float32 `[D]`, where they cross.
        directions: float32 `[D, K]`, columns of length one at right angles, the main one first.
        variances: float32 `[K]`, of the points along each.
    """

    mean: Tensor
    directions: Tensor
    variances: Tensor

    def __post_init__(self) -> None:
        width, count = self.directions.shape
        if self.mean.shape != (width,) or self.variances.shape != (count,):
            shapes = [list(one.shape) for one in (self.mean, self.directions, self.variances)]
            raise ValueError(f"want mean [D], directions [D, K], variances [K], got {shapes}")

    def coordinates(self, points: Tensor) -> Tensor:
        """Where points lie along the axes, in standard deviations: `[N, D]` -> `[N, K]`."""
        smallest = torch.finfo(torch.float32).tiny
        return (points - self.mean) @ self.directions / self.variances.sqrt().clamp_min(smallest)

    def mirrored(self) -> Axes:
        """The same axes, each pointing the other way."""
        return Axes(self.mean, -self.directions, self.variances)

    def parts(self) -> list[NDArray[np.float32]]:
        """All numbers, for a snapshot: mean, then one direction after the other, then variances."""
        return [one.cpu().numpy().ravel() for one in (self.mean, self.directions.T, self.variances)]

    @classmethod
    def of_numbers(cls, numbers: Sequence[float] | NDArray[np.float32], count: int) -> Self:
        """The axes that `parts` were taken of.

        Args:
            numbers: all parts, one behind the other.
            count: K.

        Raises:
            ValueError: not as many numbers as K axes have.
        """
        own = torch.tensor(np.asarray(numbers, dtype=np.float32))
        width = (len(own) - count) // (1 + count)
        if width < 1 or width * (1 + count) + count != len(own):
            raise ValueError(f"{len(own)} numbers are no {count} axes")
        # Laid out column by column, as `_upright` leaves them: a product may round by the layout.
        directions = own[width : width * (1 + count)].view(count, width).T
        return cls(own[:width], directions, own[width * (1 + count) :])

    def to(self, device: torch.device) -> Axes:
        """The same axes on a device."""
        return Axes(*(one.to(device) for one in (self.mean, self.directions, self.variances)))


def first_axes(points: Tensor, weights: Tensor, count: int) -> Axes:
    """The principal axes of one frame's points.

    Args:
        points: float32 `[N, D]`.
        weights: float32 `[N]`, how much each point counts, 0 to 1.
        count: K.
    """
    some = weights.sum() > _ENOUGH * len(points)
    weights = torch.where(some, weights, torch.ones_like(weights))
    share = weights / weights.sum()
    mean = share @ points
    centred = points - mean
    # The start is the same numbers on every machine, so that a stream's colours are too.
    draw = np.random.Generator(np.random.PCG64(0))
    start = draw.standard_normal((points.shape[1], count + _SPARE), dtype=np.float32)
    directions = _upright(torch.from_numpy(start).to(points.device))
    for _ in range(_ROUNDS):
        directions = _upright(_pushed(centred, share, directions))
    directions = directions[:, :count]
    largest = directions.abs().argmax(dim=0, keepdim=True)
    directions = directions * directions.gather(0, largest).sign()
    return Axes(mean, directions, share @ (centred @ directions).square())


def next_axes(before: Axes, points: Tensor, weights: Tensor, rate: float) -> Axes:
    """The axes after another frame.

    Args:
        before: the axes so far.
        points: float32 `[N, D]`.
        weights: float32 `[N]`; where nearly all are 0 the axes stay.
        rate: how much the frame counts against the past, 0 to 1.
    """
    total = weights.sum()
    fresh = torch.where(total > _ENOUGH * len(points), rate, 0.0)
    share = weights / total.clamp_min(_ENOUGH)
    mean = before.mean + fresh * (share @ points - before.mean)
    centred = points - mean
    kept = (1 - fresh) * before.directions * before.variances
    directions = _upright(kept + fresh * _pushed(centred, share, before.directions))
    seen = share @ (centred @ directions).square()
    variances = before.variances + fresh * (seen - before.variances)
    return Axes(mean, directions, variances)


def _pushed(centred: Tensor, share: Tensor, directions: Tensor) -> Tensor:
    """The points' second moment times the directions, without ever making it `[D, D]`."""
    pushed: Tensor = centred.T @ (share[:, None] * (centred @ directions))
    return pushed


def _upright(directions: Tensor) -> Tensor:
    """Columns at right angles and of length one, none turned round."""
    upright, triangle = torch.linalg.qr(directions)
    signed: Tensor = upright * torch.where(triangle.diagonal() < 0, -1.0, 1.0)
    return signed

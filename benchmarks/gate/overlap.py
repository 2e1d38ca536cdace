"""Answers in cells beside true ones, added up: mIoU of classes, AbsRel of metres."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

SKY_M = 80.0


@dataclass(slots=True)
class Overlap:
    """Of all frames so far; the sky has no distance."""

    frames: int = 0
    _areas: NDArray[np.float64] = field(default_factory=lambda: np.zeros((3, 256)))
    _errors: list[NDArray[np.floating]] = field(default_factory=list)

    def add(
        self,
        true: tuple[NDArray[Any], NDArray[Any]],
        told: tuple[NDArray[Any], NDArray[Any]],
    ) -> None:
        """One frame: class ids and metres that are true, and those that are told; NaN: untold."""
        (classes, metres), (told_classes, told_metres) = true, told
        both = classes[classes == told_classes]
        for row, ids in enumerate((classes, told_classes, both)):
            self._areas[row] += np.bincount(ids.ravel(), minlength=256)
        known = (metres < SKY_M) & ~np.isnan(told_metres)
        self._errors.append((np.abs(told_metres - metres) / metres)[known])
        self.frames += 1

    def summed(self) -> dict[str, float]:
        """`mIoU` of the classes that are there, `AbsRel`, `frames`."""
        there = self._areas[0] > 0
        true, told, both = self._areas[:, there]
        return {
            "mIoU": round(float((both / (true + told - both)).mean()), 4),
            "AbsRel": round(float(np.concatenate(self._errors).mean()), 4),
            "frames": self.frames,
        }

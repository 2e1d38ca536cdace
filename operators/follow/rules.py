"""The numbers of label propagation. They are not ours.

DINO (arXiv 2104.14294) carries DAVIS's masks over the 5 most similar patches of the first frame and
the last 7, within 12 patches either way; DINOv3 (arXiv 2508.10104) takes a circle of 12 patches and
divides cosines by 0.2 before the softmax.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rules:
    """
    Attributes:
        last: frames before the one that is asked about, beside the first.
        radius: of the circle around a patch's own place, patches; its edge counts.
        top: so many patches are what a patch takes its label from.
        temperature: that cosines are divided by.
    """

    last: int = 7
    radius: int = 12
    top: int = 5
    temperature: float = 0.2

    def __post_init__(self) -> None:
        if min(self.last, self.radius, self.top) < 1 or not self.temperature > 0:
            raise ValueError(f"want whole numbers from 1 and a temperature above 0, got {self}")

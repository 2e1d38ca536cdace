"""What pixels are normalised by, as backbones were trained with: mean and deviation per channel.

Knows nothing of torch.
"""

from __future__ import annotations

from dataclasses import dataclass

Colour = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Statistics:
    """Of pixels on a scale of 0..1, red, green, blue.

    Attributes:
        mean: subtracted.
        std: divided by.
        name: of the pictures that they were counted on; part of a record's variant.
    """

    mean: Colour
    std: Colour
    name: str


IMAGENET = Statistics((0.485, 0.456, 0.406), (0.229, 0.224, 0.225), "imagenet")
# Satellite pictures, of DINOv3's README.
SAT493M = Statistics((0.430, 0.411, 0.296), (0.213, 0.156, 0.143), "sat493m")

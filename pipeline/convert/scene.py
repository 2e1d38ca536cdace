"""What other products call objects of a frame: connected parts of its classes.

They are no detections and nobody follows them: they have no identity from frame to frame, and how
sure they are is not known.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.client.result import Result
from pipeline.client.segmentation import SegmentationSummary

UNTRACKED = str((1 << 64) - 1)
"""Id of an object that nobody follows, in DeepStream's words."""


@dataclass(frozen=True, slots=True)
class Part:
    """One connected part of a class.

    Attributes:
        label: name of the class.
        box: left, top, right, bottom, pixels of the whole picture; right and bottom lie outside.
        share: of what was looked at, 0 to 1.
    """

    label: str
    box: tuple[int, int, int, int]
    share: float


def parts(summary: SegmentationSummary) -> Iterator[Part]:
    """Of every class that has some, the most frequent class first."""
    left, top = summary.region[:2] if summary.region else (0, 0)
    for one in summary.classes:
        for component in one.components:
            x1, y1, x2, y2 = component.box
            box = (x1 + left, y1 + top, x2 + left, y2 + top)
            yield Part(one.name, box, component.share)


def position(result: Result) -> str:
    """Of its frame, which is the only number that it has. Raises ValueError where its id has
    another form."""
    _, _, _, position, _ = result.id.split("/")
    return position


def marks(result: Result) -> list[str]:
    """What a value must not be taken for."""
    said = {"untrained": result.untrained, "outofdomain": result.out_of_domain}
    return [name for name, holds in said.items() if holds]

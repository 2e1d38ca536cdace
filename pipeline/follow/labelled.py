"""Masks and boxes as files that `fit segmentation` and `fit detect` take.

A folder: `masks` and `pictures` with a file of one name per frame, `labels.csv`, `coco.json`. Knows
nothing of how masks come about.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from operators.detect.run_lengths import run_lengths
from operators.jpeg import BEST, jpeg
from operators.png import palette_png
from operators.segmentation.labelsets import LabelSet
from pipeline.follow.carried import Mask

UNKNOWN = 255  # as `fit segmentation` reads it
MASKS, PICTURES = "masks", "pictures"
LABELS, BOXES = "labels.csv", "coco.json"
_GREY = (128, 128, 128)


class Labelled:
    """The folder while it is written."""

    def __init__(self, folder: Path, labels: LabelSet) -> None:
        """
        Args:
            folder: empty.
            labels: class 0 the background, the others what is followed.
        """
        self.folder = folder
        self.labels = labels
        self._palette = [*labels.palette, *[_GREY] * (256 - len(labels.palette))]
        self._images: list[Mapping[str, Any]] = []
        self._things: list[Mapping[str, Any]] = []
        (folder / MASKS).mkdir()
        (folder / PICTURES).mkdir()
        with (folder / LABELS).open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows((one.id, one.name, *one.rgb) for one in labels.labels)

    def add_mask(self, mask: Mask) -> None:
        """A frame's mask. Where a thing is lost, what is no other's is unknown: it may be there."""
        ids = mask.ids
        if not self.is_whole(mask):
            ids = np.where(ids == 0, np.uint8(UNKNOWN), ids)
        self._mask_file(mask.number).write_bytes(palette_png(ids, self._palette))

    def add_boxes(self, mask: Mask) -> None:
        """A frame's boxes; none of one in which a thing is lost, which would teach that it is not
        there."""
        if not self.is_whole(mask):
            return
        height, width = mask.ids.shape
        name = self.picture_file(mask.number).name
        image = {"id": mask.number, "file_name": name, "width": width, "height": height}
        self._images.append(image)
        for one, sighting in mask.seen.items():
            left, top, right, bottom = sighting.box
            self._things.append(
                {
                    "id": len(self._things) + 1,
                    "image_id": mask.number,
                    "category_id": one,
                    "bbox": [left, top, right - left, bottom - top],
                    "area": sighting.pixels,
                    "segmentation": run_lengths(mask.ids == one),
                    "iscrowd": 0,
                }
            )

    def add_picture(self, number: int, pixels: NDArray[np.uint8]) -> None:
        """A frame's picture, RGB uint8 `[H, W, 3]`."""
        height, width = pixels.shape[:2]
        self.picture_file(number).write_bytes(jpeg(pixels, (height, width), BEST))

    def write_boxes(self) -> int:
        """All boxes; of how many frames they are."""
        categories = [{"id": one.id, "name": one.name} for one in self.labels.labels[1:]]
        images = sorted(self._images, key=lambda image: image["id"])
        said = {"images": images, "categories": categories, "annotations": self._things}
        (self.folder / BOXES).write_text(json.dumps(said, ensure_ascii=False), encoding="utf-8")
        return len(images)

    def ids(self, number: int) -> NDArray[np.uint8]:
        """A mask that was added, uint8 `[H, W]`."""
        with Image.open(self._mask_file(number)) as image:
            return np.asarray(image)

    def is_whole(self, mask: Mask) -> bool:
        """Nothing that is followed is lost."""
        return len(mask.seen) == len(self.labels.labels) - 1

    def picture_file(self, number: int) -> Path:
        """Where a frame's picture lies, or will."""
        return self.folder / PICTURES / f"{number:06d}.jpg"

    def _mask_file(self, number: int) -> Path:
        return self.folder / MASKS / f"{number:06d}.png"

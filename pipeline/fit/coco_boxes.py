"""Things as COCO writes them: a JSON of pictures, categories and annotations -> boxed pictures."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from operators.errors import UsageError
from pipeline.fit.boxed import (
    Boxed,
    BoxedPicture,
    ThingMask,
    refuse_twice,
    refuse_wrong,
    sides_within,
)
from pipeline.fit.coco_masks import coco_mask
from pipeline.fit.mask_labels import named_labels
from pipeline.fit.pairs import picture_hw

Row = tuple[float, ...]


def coco_boxes(pictures: Path, file: Path) -> Boxed:
    """The pictures that a file names, with their boxes, and masks where it has some; things with
    `iscrowd` do not count.

    Args:
        pictures: folder that their names are in.
        file: COCO's JSON: `images`, `categories`, `annotations`.

    Raises:
        UsageError: it is no such file, names a picture that is not there or is of another size, or
            a box or a mask that is none of its picture.
        SourceError: a picture cannot be read.
    """
    said = _read(file)
    images = {one["id"]: one for one in said["images"]}
    categories = sorted(said["categories"], key=lambda one: (isinstance(one["id"], str), one["id"]))
    class_ids = {one["id"]: number for number, one in enumerate(categories)}
    refuse_wrong(_wrong_pictures(pictures, images), file)
    rows: dict[Any, list[Row]] = defaultdict(list)
    outlines: dict[Any, list[ThingMask | None]] = defaultdict(list)
    wrong = []
    for number, one in enumerate(said["annotations"]):
        where = f"annotation {one.get('id', number)}"
        if one["image_id"] not in images or one["category_id"] not in class_ids:
            wrong.append(f"{where} is of a picture or a category that the file does not list")
            continue
        image = images[one["image_id"]]
        where = f"{where}, of {image['file_name']},"
        row = _row(where, one, image, class_ids)
        mask = coco_mask(where, one.get("segmentation"), (image["height"], image["width"]))
        if isinstance(row, str) or isinstance(mask, str):
            wrong += [why for why in (row, mask) if isinstance(why, str)]
        else:
            rows[one["image_id"]].append(row)
            outlines[one["image_id"]].append(mask)
    refuse_wrong(wrong, file)
    items = [
        BoxedPicture(pictures / one["file_name"], tuple(rows[key]), tuple(outlines[key]))
        for key, one in images.items()
    ]
    labels = named_labels([one["name"] for one in categories], name=file.stem)
    return Boxed(items, labels, _notes(items))


def _read(file: Path) -> Mapping[str, Any]:
    try:
        said = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{file}: cannot be read as JSON ({error})") from error
    for part, keys in _NEEDED.items():
        listed = said.get(part) if isinstance(said, dict) else None
        if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
            raise UsageError(f"{file}: want COCO's JSON with lists {', '.join(_NEEDED)}")
        for number, one in enumerate(listed):
            if lacking := [key for key in keys if key not in one]:
                raise UsageError(f"{file}: {part}[{number}] has no {', '.join(lacking)}")
            for key in keys:
                kinds = _KINDS.get(key, object)
                if not isinstance(one[key], kinds):
                    raise UsageError(f"{file}: {part}[{number}] has {key} {one[key]!r}")
    if not said["images"] or not said["categories"]:
        raise UsageError(f"{file}: it lists no picture, or no category")
    for part, key in (("images", "file_name"), ("categories", "name")):
        for unique in ("id", key):
            refuse_twice(f"{unique} of {part}", [one[unique] for one in said[part]], file)
    return said  # type: ignore[no-any-return]


_NEEDED = {
    "images": ("id", "file_name", "width", "height"),
    "categories": ("id", "name"),
    "annotations": ("image_id", "category_id", "bbox"),
}
_KINDS: Mapping[str, Any] = {
    **dict.fromkeys(("id", "image_id", "category_id"), int | str),
    **dict.fromkeys(("file_name", "name"), str),
}


def _wrong_pictures(pictures: Path, images: Mapping[Any, Mapping[str, Any]]) -> list[str]:
    wrong = []
    for one in images.values():
        path = pictures / one["file_name"]
        if not path.is_file():
            wrong.append(f"no picture {path}")
            continue
        height, width = picture_hw(path)
        if (one["width"], one["height"]) != (width, height):
            said = f"{one['width']}x{one['height']}"
            wrong.append(f"{path} is {width}x{height} as displayed, the file says {said}")
    return wrong


def _row(
    where: str, one: Mapping[str, Any], image: Mapping[str, Any], class_ids: Mapping[Any, int]
) -> Row | str:
    box = one["bbox"]
    if not isinstance(box, list) or len(box) != 4 or not all(map(_is_number, box)):
        return f"{where} has bbox {box!r}, expected [left, top, width, height] in pixels"
    left, top, across, down = box
    width, height = image["width"], image["height"]
    sides = (left / width, top / height, (left + across) / width, (top + down) / height)
    held = sides_within(where, sides)
    if isinstance(held, str):
        return held
    return class_ids[one["category_id"]], *held, float(bool(one.get("iscrowd")))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _notes(items: list[BoxedPicture]) -> tuple[str, ...]:
    crowds = sum(bool(row[5]) for item in items for row in item.rows)
    return (f"{crowds} boxes of crowds are neither learnt nor missed",) if crowds else ()

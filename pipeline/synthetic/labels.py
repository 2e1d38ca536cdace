"""The classes of rendered scenes: one label set for all of them -> ids, names, colours.

Ids are stored in masks and in trained heads: append, never renumber.
"""

from __future__ import annotations

from collections.abc import Iterable

from operators.segmentation.labelsets import Label, LabelSet

WALL, FLOOR, CEILING, WINDOW, DOOR, PICTURE, RUG, LAMP, BOX, SPHERE = range(10)
SKY, ROAD, GROUND, BUILDING, VEHICLE, POLE, TREE, FURNITURE = range(10, 18)
PERSON = 18

# Of these classes there are so and so many in a picture; the others are places, or on something.
COUNTED = frozenset({BOX, SPHERE, VEHICLE, POLE, TREE, FURNITURE, PERSON})

LABELS = LabelSet(
    "synthetic",
    (
        Label(WALL, "wall", (176, 190, 197)),
        Label(FLOOR, "floor", (141, 110, 99)),
        Label(CEILING, "ceiling", (236, 239, 241)),
        Label(WINDOW, "window", (79, 195, 247)),
        Label(DOOR, "door", (255, 183, 77)),
        Label(PICTURE, "picture", (186, 104, 200)),
        Label(RUG, "rug", (77, 182, 172)),
        Label(LAMP, "lamp", (255, 241, 118)),
        Label(BOX, "box", (48, 79, 254)),
        Label(SPHERE, "sphere", (233, 30, 99)),
        Label(SKY, "sky", (144, 202, 249)),
        Label(ROAD, "road", (84, 84, 96)),
        Label(GROUND, "ground", (174, 213, 129)),
        Label(BUILDING, "building", (161, 136, 127)),
        Label(VEHICLE, "vehicle", (255, 112, 67)),
        Label(POLE, "pole", (255, 214, 0)),
        Label(TREE, "tree", (46, 125, 50)),
        Label(FURNITURE, "furniture", (121, 85, 200)),
    ),
)

# Of scenes with people. A set of its own, so that no head is made for whom it never sees.
PEOPLED = LabelSet("synthetic", (*LABELS.labels, Label(PERSON, "person", (255, 64, 129))))


def _things(name: str, numbers: Iterable[int]) -> LabelSet:
    named = (PEOPLED.labels[number] for number in sorted(numbers))
    return LabelSet(name, tuple(Label(id_, one.name, one.rgb) for id_, one in enumerate(named)))


THINGS = _things("synthetic-things", COUNTED - {PERSON})
"""What can be counted, as detectors know it."""
PEOPLED_THINGS = _things("synthetic-things", COUNTED)


def labels_of(scene: str) -> LabelSet:
    """Return which classes a scene of `synthetic:` may have."""
    return PEOPLED if scene == "varied" else LABELS


def things_of(scene: str) -> LabelSet:
    """Return which of them can be counted, as detectors know it."""
    return PEOPLED_THINGS if scene == "varied" else THINGS

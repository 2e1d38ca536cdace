"""What classes of published EoMTs are: how many they are in -> their names, and which are things.

Things are counted one by one; stuff, such as sky and road, fills the rest of a picture.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

_COCO = range(80)  # the things of COCO; where there are 133, stuff comes behind them
_ADE20K_STUFF = frozenset(
    (
        *(0, 1, 2, 3, 4, 5, 6, 9, 11, 13, 16, 17, 21, 25, 26, 28, 29, 34, 40, 46, 48, 51, 52, 54),
        *(59, 60, 61, 63, 68, 77, 79, 84, 91, 94, 96, 99, 100, 101, 105, 106, 109, 113, 114, 117),
        *(122, 128, 131, 140, 141, 145),
    )
)
_ADE20K = tuple(id_ for id_ in range(150) if id_ not in _ADE20K_STUFF)

THINGS: Mapping[int, tuple[str, Sequence[int]]] = {
    80: ("coco", _COCO),
    133: ("coco", _COCO),
    150: ("ade20k", _ADE20K),
}
"""Number of classes -> their label set, and the ids of things."""

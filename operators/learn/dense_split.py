"""Which pictures a dense head learns from and which it is judged by: by file or scene, seeded."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from operators.learn.dense_training import Split


def dense_split(
    groups: Sequence[str], classes: Sequence[frozenset[int]], *, share: float, seed: int
) -> Split:
    """Put whole groups aside for validation, but never a class's only group.

    Args:
        groups: file or scene of each picture.
        classes: what occurs in each picture; empty sets where that does not matter.
        share: of the groups that are put aside, 0 to below 1.
        seed: which ones.

    Returns:
        Indices of pictures; the validation part may be empty where there are few groups.
    """
    members: dict[str, list[int]] = defaultdict(list)
    holds: dict[str, set[int]] = defaultdict(set)
    for index, group in enumerate(groups):
        members[group].append(index)
        holds[group] |= classes[index]
    left = defaultdict(int, {id_: 0 for own in holds.values() for id_ in own})
    for own in holds.values():
        for id_ in own:
            left[id_] += 1
    aside: set[str] = set()
    order = np.random.Generator(np.random.PCG64(seed)).permutation(sorted(members))
    wanted = min(round(share * len(members)), len(members) - 1)
    for group in order.tolist():
        if len(aside) < wanted and all(left[id_] > 1 for id_ in holds[group]):
            aside.add(group)
            for id_ in holds[group]:
                left[id_] -= 1
    parts: tuple[list[int], list[int]] = ([], [])
    for index, group in enumerate(groups):
        parts[group in aside].append(index)
    return Split(tuple(parts[0]), tuple(parts[1]))

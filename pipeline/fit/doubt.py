"""How far the numbers of a fit can be believed: estimates and files in -> warnings out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol

from operators.learn.estimate import Estimate

FEW_GROUPS = 10  # below, an interval drawn from whole files is itself a guess
WIDE = 0.2  # of a share

_SHARES = ("mean_class_accuracy", "miou", "delta1")  # the first number of each kind of head


class Measured(Protocol):
    """What was measured: name -> number, and on how many files, days or scenes."""

    @property
    def estimates(self) -> Mapping[str, Estimate]: ...

    @property
    def groups(self) -> int: ...


def doubts(measured: Measured, *, kind: str) -> Iterator[str]:
    """What a user should be told of it.

    Args:
        measured: of the head.
        kind: what its groups are, for people.
    """
    if measured.groups < FEW_GROUPS:
        yield (
            f"WARNING: measured on {measured.groups} {kind} only; below {FEW_GROUPS} the numbers "
            f"and their intervals are guesses, give more {kind}"
        )
    for name in _SHARES:
        one = measured.estimates.get(name)
        if one is None or one.low is None or one.high is None or one.high - one.low <= WIDE:
            continue
        yield (
            f"WARNING: {name} may be anything from {one.low:.2f} to {one.high:.2f} (95 %); more "
            f"{kind} would tell better"
        )

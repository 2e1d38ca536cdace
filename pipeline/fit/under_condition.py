"""What was measured of one head under one condition, beside the same pictures as they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from operators.conditions.condition import Condition
from operators.learn.estimate import Estimate, Measure, change


class Scores(Protocol):
    """Of a head on some pictures: numbers, and what they are of."""

    @property
    def estimates(self) -> Mapping[str, Estimate]: ...

    @property
    def measures(self) -> Mapping[str, Measure]: ...

    @property
    def groups(self) -> int: ...


@dataclass(frozen=True, slots=True)
class UnderCondition:
    """Numbers under a condition.

    Attributes:
        condition: which.
        estimates: name -> number.
        changes: name -> how much more that is than on the same pictures as they are; its interval
            is of files or scenes drawn anew for both alike.
    """

    condition: Condition
    estimates: Mapping[str, Estimate]
    changes: Mapping[str, Estimate]

    def plain(self) -> dict[str, Any]:
        """JSON values."""
        return {
            "condition": self.condition.name,
            "strength": self.condition.strength,
            "estimates": {name: one.plain() for name, one in self.estimates.items()},
            "changes": {name: one.plain() for name, one in self.changes.items()},
        }


def under_condition(
    condition: Condition, before: Scores, after: Scores, *, seed: int
) -> UnderCondition:
    """Numbers of the same pictures before and after.

    Args:
        condition: what lies between.
        before: of them as they are.
        after: of them under it, of the same files or scenes in the same order.
        seed: of the bootstrap.
    """
    changes = {
        name: change(measure, after.measures[name], before.groups, seed=seed)
        for name, measure in before.measures.items()
    }
    return UnderCondition(condition, after.estimates, changes)

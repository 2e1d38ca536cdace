"""A batch that an engine has launched: what is computed of it, and who is given what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from operators.batch_operator import BatchOperator
from operators.frames import Features
from operators.operator import Operator
from pipeline.engine.batching import Batch

if TYPE_CHECKING:
    from operators.fetch import Fetch


@dataclass(frozen=True, slots=True)
class Launched:
    """Waits to be finished.

    Attributes:
        batch: the frames.
        seen: their features, or what the backbone failed with.
        taken: operator -> rows of the frames that it is given.
        fetched: operator -> what it has computed on a GPU, which may be on its way still.
    """

    batch: Batch
    seen: Features | Exception
    taken: Mapping[Operator, Sequence[int]] = field(default_factory=dict)
    fetched: Mapping[BatchOperator, Fetch] = field(default_factory=dict)

    @property
    def can_wait(self) -> bool:
        """Another batch may be launched first: a GPU is at work on it, and nobody reads its
        features any more, whose memory the next one may have."""
        if not self.fetched:
            return False
        return all(one in self.fetched for one, rows in self.taken.items() if rows)

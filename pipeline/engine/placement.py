"""An operator as a stream's job runs it: with its sampling and the identity of its records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from operators.operator import Operator, StreamOperator
from pipeline.stream.sampling import Sampling


@dataclass(frozen=True, slots=True)
class Placement:
    """One operator on one stream.

    Attributes:
        operator: the engine's instance, which all its streams share.
        sampling: which of the stream's frames it takes.
        rule: the bit of `Frames.taken` that says so; None: it takes every frame that is computed.
        variants: topic -> 12 hex, the variant of its records of the stream.
    """

    operator: Operator
    sampling: Sampling
    rule: int | None
    variants: Mapping[str, str]

    @property
    def name(self) -> str:
        return self.operator.name

    @property
    def remembers(self) -> StreamOperator | None:
        """The operator, where it keeps a memory per stream."""
        return self.operator if isinstance(self.operator, StreamOperator) else None

    def takes(self, mask: int) -> bool:
        return self.rule is None or bool(mask >> self.rule & 1)

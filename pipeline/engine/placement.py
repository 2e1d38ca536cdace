"""An operator as a job runs it: with its sampling and the identity of its records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from operators.operator import Operator, StreamOperator
from pipeline.stream.sampling import Sampling


@dataclass(frozen=True, slots=True)
class Placement:
    """One operator of an engine.

    Attributes:
        operator: the instance that is called.
        sampling: which frames it takes.
        rule: the bit of `Frames.taken` that says so.
        variants: topic -> 12 hex, the variant of its records.
        own: stream -> topic -> variant, of streams whose records are calibrated.
    """

    operator: Operator
    sampling: Sampling
    rule: int
    variants: Mapping[str, str]
    own: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.operator.name

    @property
    def remembers(self) -> StreamOperator | None:
        """The operator, where it keeps a memory per stream."""
        return self.operator if isinstance(self.operator, StreamOperator) else None

    def variant(self, topic: str, stream: str) -> str:
        """Of a stream's records."""
        return self.own.get(stream, self.variants)[topic]

    def all_variants(self) -> dict[str, str]:
        """Every variant, by topic, or by topic and stream where a stream has its own."""
        own = {
            f"{topic}/{stream}": hash_
            for stream, variants in self.own.items()
            for topic, hash_ in variants.items()
        }
        return {**self.variants, **own}

    def takes(self, mask: int) -> bool:
        return bool(mask >> self.rule & 1)

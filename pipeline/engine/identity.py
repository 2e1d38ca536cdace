"""What makes a run's records its own: model, variants, and where each stream's progress is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from operators.variant import variant_hash
from pipeline.stream.spec import StreamSpec


@dataclass(frozen=True, slots=True)
class Identity:
    """Known once an engine is assembled, and the same for every engine of a run.

    Attributes:
        model: architecture and first 12 hex of the weights' sha256.
        variants: topic -> variant of its records; `topic/stream` where a stream has its own.
        labels: label set -> [{id, name, rgb}], what the records' class ids mean.
        notes: what a user should be told once: untrained weights, operators that do not run, paths.
    """

    model: str
    variants: Mapping[str, str]
    labels: Mapping[str, Sequence[Mapping[str, Any]]]
    notes: tuple[str, ...] = ()

    def jobs(self, specs: Sequence[StreamSpec]) -> dict[str, str]:
        """Stream -> its job, under which its progress is kept: 12 hex of the stream with its
        session, its variants and its sampling. The same job resumes, another starts anew; which
        streams run beside it changes nothing."""
        return {spec.stream: self._job(spec) for spec in specs}

    def _job(self, spec: StreamSpec) -> str:
        facts: dict[str, Any] = {
            "sources": [[spec.stream, spec.session]],
            "samplings": [str(rule) for rule in spec.samplings],
            "variants": self._variants_of(spec.stream),
        }
        facts |= {"damaged": "keep"} if spec.damaged else {}
        facts |= {} if spec.deinterlace else {"deinterlace": False}
        facts |= {"span_s": list(spec.span_s)} if spec.span_s else {}
        return variant_hash(facts)

    def _variants_of(self, stream: str) -> dict[str, str]:
        """Topic -> variant; a calibrated stream has its own, as `Placement.all_variants` says."""
        topics = {name: hash_ for name, hash_ in self.variants.items() if "/" not in name}
        return {name: self.variants.get(f"{name}/{stream}", topics[name]) for name in topics}

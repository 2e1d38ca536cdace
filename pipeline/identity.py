"""What makes a job's records its own: model, variants, and its name in the progress store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from operators.variant import variant_hash
from pipeline.decode.spec import StreamSpec


@dataclass(frozen=True, slots=True)
class Identity:
    """Known once an engine is assembled, and the same for every engine of a job.

    Attributes:
        model: architecture and first 12 hex of the weights' sha256.
        variants: topic -> variant of its records.
        labels: label set -> [{id, name, rgb}], what the records' class ids mean.
        notes: what a user should be told once: untrained weights, operators that do not run, paths.
    """

    model: str
    variants: Mapping[str, str]
    labels: Mapping[str, Sequence[Mapping[str, Any]]]
    notes: tuple[str, ...] = ()

    def job(self, specs: Sequence[StreamSpec]) -> str:
        """12 hex of sources, variants and sampling; the same job resumes, another starts anew."""
        return variant_hash(
            {
                "sources": sorted([spec.stream, spec.session] for spec in specs),
                "samplings": [str(rule) for rule in specs[0].samplings],
                "variants": dict(self.variants),
            }
        )

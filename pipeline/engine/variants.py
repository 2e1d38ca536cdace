"""The variants of one operator's records on each stream, known without the operator."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import astuple, dataclass, field, replace
from typing import Any

from operators.variant import Computation, RecordKind, variant_hash
from operators.zones.findable import Findable
from pipeline.stream.sampling import Sampling
from pipeline.stream.shots import METHOD
from pipeline.stream.spec import StreamSpec


@dataclass(frozen=True, slots=True)
class Variants:
    """Of one operator.

    Attributes:
        kinds: topic -> what its records are.
        computation: what their features come from; its preprocessing but for the size.
        calibrations: stream -> hash of its calibration, of those that have one.
        placed: it reads what is drawn over a stream's pictures.
        findable: what alerts can be about; None: it knows of none.
    """

    kinds: Mapping[str, RecordKind]
    computation: Computation
    calibrations: Mapping[str, str] = field(default_factory=dict)
    placed: bool = False
    findable: Findable | None = None

    @property
    def repeats(self) -> bool:
        """Whether it can be told of frames that are not computed."""
        return all(kind.repeats for kind in self.kinds.values())

    def on(self, spec: StreamSpec, sampling: Sampling) -> dict[str, str]:
        """Topic -> variant, 12 hex, of the records of a stream of which the operator takes these
        frames.

        Raises:
            UsageError: the stream has an alert about what is not found.
        """
        if self.findable and spec.places:
            self.findable.refuse(spec.stream, spec.places)
        computation = sized(self.computation, spec.short_side)
        places = spec.places.hash if self.placed and spec.places else None
        return {
            topic: kind.variant(
                computation,
                sampling=frames_taken(spec, sampling),
                calibration=self.calibrations.get(spec.stream),
                gate=spec.gate.canonical() if spec.gate else None,
                places=places,
                start_time_us=spec.start_time_us,
            )
            for topic, kind in self.kinds.items()
        }


def sized(computation: Computation, short_side: int) -> Computation:
    """What features of pictures of one size come from.

    Args:
        computation: its preprocessing but for the size.
        short_side: of the pictures, pixels, as asked for.
    """
    preprocessing = f"short side {short_side}, {computation.preprocessing}"
    return replace(computation, preprocessing=preprocessing)


def frames_taken(spec: StreamSpec, sampling: Sampling) -> str:
    """Which frames an operator takes."""
    words = [sampling.canonical()]
    words += ["damaged"] if spec.damaged else []
    # Of a live stream the run may have dropped some, and its windows were cut elsewhere.
    words += ["undropped"] if spec.taped and spec.breaks is None else []
    # Of a gated or failing run, not all of them.
    words += [f"kept by {spec.kept_by}"] if spec.kept else []
    words += [f"from {segment}" for segment in spec.late_begins]
    words += [f"from {spec.span_s[0]!r} s to {spec.span_s[1]!r} s"] if spec.span_s else []
    return " ".join(words)


def shots_variant(spec: StreamSpec) -> str:
    """Of the records of a stream's shots: all that can change which frames are decoded, and what
    is seen of them. No operator, nor which frames are sampled. "" where nobody looks for shots."""
    if spec.shots is None:
        return ""
    facts: dict[str, Any] = {"topic": "shots", "rule": spec.shots.canonical(), "method": METHOD}
    facts |= {"damaged": "keep"} if spec.damaged else {}
    facts |= {} if spec.deinterlace else {"deinterlace": False}
    facts |= {} if spec.decode == "cpu" else {"decode": spec.decode}
    facts |= {"region": list(astuple(spec.region))} if spec.region else {}
    facts |= {"span_s": list(spec.span_s)} if spec.span_s else {}
    facts |= {"from": list(spec.late_begins)} if spec.late_begins else {}
    facts |= {} if spec.start_time_us is None else {"start_time_us": spec.start_time_us}
    # Of a recording in several sizes that one is played which is as large as a frame needs.
    facts |= {"side": spec.picture_side} if spec.networked and not spec.live else {}
    return variant_hash(facts)

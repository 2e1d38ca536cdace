"""Variant: a short hash over everything that can change a payload.

Another model, head, setting or kind of machine gives other record ids, so records never collide.
Must not know how a record is published.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

from operators.format import JPEG, PNG, Format
from operators.jpeg import jpeg_identity
from operators.operator import Operator, StreamOperator
from operators.png import png_identity
from operators.result import canonical_json

_HEX = 12


@dataclass(frozen=True, slots=True)
class Computation:
    """What all operators of an engine share.

    Attributes:
        architecture: the backbone's name.
        backbone_sha256: identity of its weights.
        preprocessing: how a frame becomes the backbone's input: size, filter, mean and deviation.
        engine: what runs it, such as `torch 2.15.0 sdpa`.
        dtype: of the backbone's weights and features, such as `float32`.
        device: kind of CPU or GPU; kinds round differently.
    """

    architecture: str
    backbone_sha256: str
    preprocessing: str
    engine: str
    dtype: str
    device: str

    def __post_init__(self) -> None:
        empty = [name for name, value in asdict(self).items() if not value]
        if empty:
            raise ValueError(f"a variant needs every part, empty: {', '.join(empty)}")


def variant_hash(fields: Mapping[str, Any]) -> str:
    """12 hex of the sha256 of the fields' canonical JSON."""
    return hashlib.sha256(canonical_json(fields)).hexdigest()[:_HEX]


@lru_cache(maxsize=1024)  # one is asked for with every record
def prepared_variant(variant: str, preparation: str) -> str:
    """The variant of records of pictures that were prepared before scaling.

    Args:
        variant: of records of whole pictures.
        preparation: `FrameInfo.preparation`; empty: nothing was done, it stays as it is.
    """
    return (
        variant_hash({"variant": variant, "preparation": preparation}) if preparation else variant
    )


@dataclass(frozen=True, slots=True)
class RecordKind:
    """One kind of record of one operator: its variants on all streams, without the operator.

    Attributes:
        fields: everything that can change a value and is the same on every stream, JSON values.
        remembers: it is a `StreamOperator`, whose payloads depend on the frames before.
        repeats: it can be told of frames that are not computed.
    """

    fields: Mapping[str, Any]
    remembers: bool
    repeats: bool = True

    @classmethod
    def of(cls, operator: Operator, topic: str) -> RecordKind:
        """
        Args:
            operator: who emits it; its settings and head are final.
            topic: one of `operator.topics`.

        Raises:
            ValueError: the operator emits no such topic.
        """
        if topic not in operator.topics:
            raise ValueError(f"{operator.name} emits {', '.join(operator.topics)}, not {topic!r}")
        fields: dict[str, Any] = {
            "topic": topic,
            "operator": _kind(operator),
            "version": operator.version,
            "settings": dict(operator.settings()),
            "head": operator.head_sha256,
        }
        declared = operator.topics[topic]
        if not _is_ours(operator):
            fields |= {} if declared == Format() else {"format": asdict(declared)}
        elif declared.content_type == PNG:
            fields["png"] = png_identity()
        elif declared.content_type == JPEG:
            fields["jpeg"] = jpeg_identity()
        if operator.rendered_only:
            fields["learnt"] = "rendered scenes"  # what its records of footage say of themselves
        remembers = isinstance(operator, StreamOperator)
        return cls(fields, remembers, not remembers or _repeats(operator))

    def variant(
        self,
        computation: Computation,
        *,
        sampling: str | None = None,
        calibration: str | None = None,
        gate: str | None = None,
        places: str | None = None,
        start_time_us: int | None = None,
    ) -> str:
        """The variant of its records.

        Args:
            computation: what their features come from.
            sampling: which frames the operator takes, in canonical form. It counts only for one
                that remembers; others agree on the frames they share.
            calibration: hash of the stream's own calibration, where it has one.
            gate: of the stream, in canonical form, where it has one: then a frame without a record
                means something else.
            places: hash of what is drawn over the stream's pictures, where the operator reads that.
            start_time_us: when a user says that the recording begins, microseconds since the epoch:
                event times go by it, in attributes and in what windows, tracks and episodes say.
                None: by what its file says, of which the session is a hash.

        Raises:
            ValueError: the operator remembers, and there is no sampling.
        """
        fields = {**self.fields, "computation": asdict(computation)}
        if calibration:
            fields["calibration"] = calibration
        if gate:
            fields["gate"] = gate
        if places:
            fields["places"] = places
        if start_time_us is not None:
            fields["start_time_us"] = start_time_us
        if self.remembers:
            if not sampling:
                name = self.fields["operator"]
                raise ValueError(f"{name} remembers frames: its variant needs the sampling")
            fields["sampling"] = sampling
        return variant_hash(fields)


def _kind(operator: Operator) -> str:
    """The name; with the class for operators from outside, since names are free there."""
    if _is_ours(operator):
        return operator.name
    kind = type(operator)
    return f"{operator.name}={kind.__module__}:{kind.__qualname__}"


def _repeats(operator: Operator) -> bool:
    return getattr(type(operator), "repeat", None) is not StreamOperator.repeat


def _is_ours(operator: Operator) -> bool:
    return type(operator).__module__.split(".")[0] == "operators"

"""Which frame of a stream the frames that are not computed repeat, and what is said of them.

Kept in the stream's progress, so that a resume says the same. Pure.
"""

from __future__ import annotations

import json
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from operators.frames import FrameInfo
from operators.result import canonical_json
from operators.variant import variant_hash
from pipeline.engine.placement import Placement
from pipeline.engine.variants import frames_taken
from pipeline.records.message import Publisher
from pipeline.records.record import Message
from pipeline.stream.spec import StreamSpec

T = TypeVar("T")
Place = Mapping[str, str]
Counts = dict[str, tuple[int, list[str]]]
"""Operator -> frames of its that repeat one, and the ids of its records of that one."""


@dataclass(slots=True)
class _Span:
    """Frames that repeat one, so far."""

    start: Place
    last: FrameInfo
    frames: int = 0
    operators: Counts = field(default_factory=dict)


class Still:
    """Of one stream."""

    def __init__(
        self, spec: StreamSpec, placements: Sequence[Placement], state: Mapping[str, Any]
    ) -> None:
        """
        Args:
            spec: the stream.
            placements: the operators that run on it.
            state: what `to_json` gave; {} at the beginning.
        """
        self._gated = spec.gate is not None
        self.variant = _variant(spec, placements) if self._gated else ""
        self._computed: Place = state.get("computed") or _NOWHERE
        self._ids: dict[str, tuple[str, list[str]]] = {
            name: (position, [*ids]) for name, (position, ids) in state.get("ids", {}).items()
        }
        self._span: _Span | None = None
        if span := state.get("span"):
            operators = {name: (frames, ids) for name, (frames, ids) in span["operators"].items()}
            last = FrameInfo.from_json(span["last"])
            self._span = _Span(span["start"], last, span["frames"], operators)

    @property
    def computed(self) -> str:
        """Position of the last computed frame; "" behind a break."""
        return self._computed["position"]

    def see(self, info: FrameInfo) -> None:
        """A frame is through all operators."""
        self._computed = info.place

    def note(self, operator: str, position: str, ids: Sequence[str]) -> None:
        """An operator has taken a frame, and these are its records."""
        if self._gated:
            self._ids[operator] = (position, list(ids))

    def holds(self, operator: str) -> bool:
        """Whether an operator has taken the last computed frame, and remembers it."""
        return bool(self.computed) and self._ids.get(operator, ("",))[0] == self.computed

    def lose(self, operator: str) -> None:
        """It remembers nothing any more."""
        self._ids.pop(operator, None)

    def strike(self, refused: Container[str]) -> None:
        """The sink does not take these records."""
        self._ids = _without(self._ids, refused)
        if self._span:
            self._span.operators = _without(self._span.operators, refused)

    def repeated(self, operator: str) -> bool:
        """Whether there are records of an operator that hold for a repetition."""
        return self.holds(operator) and bool(self._ids[operator][1])

    def add(self, info: FrameInfo, operators: Sequence[str]) -> None:
        """Of a frame that repeats the last computed one these operators' records hold."""
        if not operators:
            return
        span = self._span = self._span or _Span(info.place, info)
        span.last = info
        span.frames += 1
        for name in operators:
            frames, ids = span.operators.get(name, (0, self._ids[name][1]))
            span.operators[name] = (frames + 1, ids)

    def end(self, publisher: Publisher, epoch: int) -> list[Message]:
        """The repetition is over: what is said of it, if it was one."""
        span, self._span = self._span, None
        if span is None:
            return []
        said = {
            "start": span.start,
            "end": span.last.place,
            "frames": span.frames,
            "repeats": self._computed,
            "operators": {
                name: {"frames": frames, "ids": ids}
                for name, (frames, ids) in span.operators.items()
            },
        }
        return [publisher.unchanged(replace(span.last, epoch=epoch), said, self.variant)]

    def break_off(self) -> None:
        """Nothing that came before is repeated any more."""
        self._computed = _NOWHERE
        self._ids.clear()

    def to_json(self) -> dict[str, Any]:
        """JSON values."""
        if not self._gated or not self.computed:
            return {}
        state: dict[str, Any] = {"computed": self._computed, "ids": dict(self._ids)}
        if span := self._span:
            operators = dict(span.operators)
            own = {"start": span.start, "frames": span.frames, "operators": operators}
            state["span"] = own | {"last": span.last.to_json()}
        return state


_NOWHERE: Place = {"position": "", "time": ""}


def struck(state: Mapping[str, Any], refused: Container[str]) -> dict[str, Any]:
    """What `to_json` gave, without records that the sink does not take."""
    kept = dict(state)
    if "ids" in kept:
        kept["ids"] = _without(kept["ids"], refused)
    if span := kept.get("span"):
        kept["span"] = {**span, "operators": _without(span["operators"], refused)}
    return kept


def without_ids(message: Message, refused: Container[str]) -> Message:
    """A record that `Still.end` gave, without ids of records that the sink does not take."""
    said = json.loads(message.value)
    for one in said["operators"].values():
        one["ids"] = [name for name in one["ids"] if name not in refused]
    return replace(message, value=canonical_json(said))


def _without(
    rows: Mapping[str, tuple[T, list[str]]], refused: Container[str]
) -> dict[str, tuple[T, list[str]]]:
    return {
        name: (first, [one for one in ids if one not in refused])
        for name, (first, ids) in rows.items()
    }


def _variant(spec: StreamSpec, placements: Sequence[Placement]) -> str:
    """Of its records: all that can change which frames repeat which, and whose ids are named. An
    operator that says nothing, as one that keeps features, has none."""
    assert spec.gate
    speaking = [one for one in placements if one.variants]
    return variant_hash(
        {
            "topic": "unchanged",
            "gate": spec.gate.canonical(),
            "frames": {one.name: frames_taken(spec, one.sampling) for one in speaking},
            "variants": {topic: own for one in speaking for topic, own in one.variants.items()},
        }
    )

"""Tracks, crossings and visits as records say them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from operators.frames import FrameInfo
from operators.result import JSON, Result, canonical_json
from operators.segmentation.labelsets import LabelSet
from operators.track.crossings import IN, OUT, Counts, Crossing
from operators.track.motion import Box
from operators.track.track import Moment, Track
from operators.track.visits import Visit

TRACKS, VISITED, CROSSED = "tracks", "tracks.zones", "lines.crossed"
SEEN, LOST = "seen", "lost"

_PIXEL_DECIMALS = 2
_DECIMALS = 6
_SECOND_DECIMALS = 3


class Saying:
    """Of tracks whose labels are of one label set."""

    def __init__(self, labels: LabelSet) -> None:
        self._labels = labels

    def tracks(self, info: FrameInfo, tracks: Sequence[Track]) -> Result:
        """Where everything is that has an id."""
        said = [self._track(info, one) for one in tracks if one.id]
        return self._record(info, TRACKS, {"tracks": said})

    def crossings(
        self, info: FrameInfo, crossings: Sequence[Crossing], counts: Counts
    ) -> list[Result]:
        """A record of each, with how many of its label have crossed that line by this frame."""
        return [self._crossing(info, one, counts[one.line][one.label]) for one in crossings]

    def visits(self, info: FrameInfo, visits: Sequence[Visit]) -> list[Result]:
        """A record of each."""
        return [self._visit(info, one) for one in visits]

    def _crossing(self, info: FrameInfo, one: Crossing, total: tuple[int, int]) -> Result:
        said = {
            "line": one.line,
            "direction": one.direction,
            **self._who(one.id, one.label),
            "total": dict(zip((IN, OUT), total, strict=True)),
        }
        return self._record(info, CROSSED, said, part=f"{one.line}.{one.id}")

    def _visit(self, info: FrameInfo, one: Visit) -> Result:
        start, end = Moment.of(one.start), one.end
        dwell_s = end and round((end.time_us - start.time_us) / 1e6, _SECOND_DECIMALS)
        said = {
            "kind": one.kind,
            "zone": one.zone,
            **self._who(one.id, one.label),
            "start": start.place,
            "end": end and end.place,
            "dwell_s": dwell_s,
        }
        part = f"{one.zone}.{one.id}.{one.kind}"
        return self._record(info, VISITED, said, part=part, start=one.start if end else None)

    def _track(self, info: FrameInfo, track: Track) -> dict[str, Any]:
        seen = track.last == Moment.of(info)
        lost_us, age_us = (
            info.event_time_us - since.time_us for since in (track.last, track.start)
        )
        box = track.box if seen else track.motion.after(lost_us / 1e6).box
        return {
            **self._who(track.id, track.label),
            "box": _within(box, info.source_hw),
            "score": round(track.score, _DECIMALS),
            "state": SEEN if seen else LOST,
            "age_s": round(age_us / 1e6, _SECOND_DECIMALS),
            "start": track.start.position,
        }

    def _who(self, track: int, label: int) -> dict[str, Any]:
        return {"id": track, "label": self._label(label)}

    def _label(self, label: int) -> dict[str, Any]:
        return {"id": label, "name": self._labels.labels[label].name}

    def _record(
        self,
        info: FrameInfo,
        topic: str,
        said: Any,
        *,
        part: str = "",
        start: FrameInfo | None = None,
    ) -> Result:
        refers = {"labelset": self._labels.name}
        return Result(info, topic, JSON, canonical_json(said), refers, start, part)


def _within(box: Box, size_hw: tuple[int, int]) -> list[float]:
    """The part of a box that is in the picture."""
    height, width = size_hw
    most = (width, height, width, height)
    edges = zip(box, most, strict=True)
    return [round(min(max(edge, 0.0), float(end)), _PIXEL_DECIMALS) for edge, end in edges]

"""Plays a recording, or a tape, from one frame on, which is looked for and not counted up to.

For whoever wants to see what a record is of. Positions and pixels are those of the job that made
the record; event times and counts are not, for they are known from the beginning alone.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from operators.frames import FrameInfo
from pipeline.decode.collector import Item
from pipeline.decode.playback import OVERSHOOT_S, SEEK_BACK_S, Playback
from pipeline.decode.taped import Taped
from pipeline.decode.track import Sample
from pipeline.errors import SourceError
from pipeline.media.crop import Crop
from pipeline.media.frame_size import FrameSize
from pipeline.media.picture import Mark, Picture, Reel
from pipeline.media.retry import Wait, sleep
from pipeline.media.scaler import Scaler
from pipeline.media.tape import PTS, Segment, late_begin, sessions_of
from pipeline.stream.chunk import Counts
from pipeline.stream.spec import Moment, StreamSpec
from pipeline.stream.timeline import Timeline

BEFORE = 8  # frames; whoever steps back wants one of them next
_TICKS = re.compile(r"-?[0-9]{1,18}(?=\+|$)")  # libav counts in 64 bits
_NOWHERE: Mark = [None, None, None, None]


class Sought(Playback):
    """One recording from the frame `spec.at` on; the next are the `BEFORE` before it, as far as
    they were decoded on the way. No picture is made larger than it is."""

    def __init__(self, spec: StreamSpec, wall_us: Callable[[], int], wait: Wait = sleep) -> None:
        super().__init__(spec, wall_us, wait)
        self._crop = Crop(spec.region)
        self._scalers: dict[int, Scaler] = {}  # by the short side
        self._given = 0
        self._passed = False  # there are frames around it, and it is none of them

    def _counts(self) -> Counts:
        return Counts(self._given, self._given)

    def _play(self) -> Iterator[Item | None]:
        _, position, _ = _moment(self._spec)
        reel = self._open(self._spec.url)
        try:
            for back_s in (*SEEK_BACK_S, None):
                if back_s is None:
                    reel.close()
                    reel = self._open(self._spec.url)
                elif not self._goes(reel, position, back_s):
                    continue
                before: deque[tuple[Picture, str]] = deque(maxlen=BEFORE + 1)
                for picture, here in self._from(reel, position, sought=back_s is not None):
                    if picture is not None:
                        before.append((picture, here))
                        while before and (self._given or here == position):
                            yield self._sample(reel, *before.pop())
                    yield None
                if self._given:
                    return
                if self._passed:
                    break
        finally:
            reel.close()
        raise SourceError(f"frame {position} is not there")

    def _goes(self, reel: Reel, position: str, back_s: int) -> bool:
        """To a key frame before it, where its name says when it is shown."""
        pts = _pts(position)
        return pts is not None and reel.seek(pts - int(back_s / reel.time_base), _NOWHERE)

    def _from(
        self, reel: Reel, position: str, *, sought: bool
    ) -> Iterator[tuple[Picture | None, str]]:
        """Pictures with their positions; they end where it is clear that it will not be found."""
        timeline, wanted = Timeline(reel.time_base, 0), _pts(position)
        first = True
        for step in reel.pictures():
            if not isinstance(step, Picture):
                yield None, ""
                continue
            if sought and not self._given and step.pts is not None and wanted is not None:
                # What is shown before the key frame that was found may want what is before it.
                if first and (step.pts > wanted or not step.keyframe):
                    return
                self._passed = (step.pts - wanted) * reel.time_base > OVERSHOOT_S
                if self._passed:
                    return
            first = False
            yield step, timeline.stamp(step.pts, step.duration).position

    def _sample(self, reel: Reel, picture: Picture, position: str) -> Sample:
        self._given += 1
        seen = self._crop(picture)
        side = min(self._spec.short_side, *seen.source_hw)
        if side not in self._scalers:
            self._scalers[side] = Scaler(FrameSize(side, min(self._spec.patch, side)))
        info = FrameInfo(
            self._spec.stream,
            self._spec.session,
            position,
            picture.pts,
            reel.time_base,
            0,
            self._wall_us(),
            seen.source_hw,
            "media",
            self._spec.epoch,
            seen.preparation,
            reel.rendered,
            seen.region,
        )
        return Sample(info, self._scalers[side](seen), 1, {"sampled": self._given})


class SoughtTape(Taped):
    """One session of a tape from the frame `spec.at` on; the next ones are those before it, as of
    `Sought`."""

    def items(self) -> Iterator[Item | None]:
        """As of `Taped`; a frame that is gone is no accident here, and the end says so."""
        try:
            yield from super().items()
        except SourceError as error:
            yield replace(self.end("ok"), outcome="rejected", detail=str(error))

    def _play(self) -> Iterator[Item | None]:
        session, position, time_us = _moment(self._spec)
        sessions = sessions_of(Path(self._spec.url))
        segments = next((one for one in sessions if one[0].session == session), None)
        if segments is None:
            raise SourceError(f"session {session} is not on the tape any more, or never was")
        number = _holder(segments, position, time_us)
        # The one before warms the decoder up, and has what the session remembers.
        segments = segments[max(0, number - 1) :]
        self._spec = replace(self._spec, late_begins=(late_begin(segments),))
        found = False
        before: deque[Sample] = deque(maxlen=BEFORE + 1)
        for item in self._session(segments):
            if isinstance(item, Sample):
                before.append(item)
                found |= item.info.position == position
                while before and found:
                    yield before.pop()
                if not found and number >= 0 and _is_past(item, position):
                    break
            yield None
        if not found:
            raise SourceError(f"frame {position} is not on the tape any more, or never was")


def _holder(segments: Sequence[Segment], position: str, time_us: int) -> int:
    """Which segment has the frame's packet; -1: none has, or its name does not tell. Those that
    were written about its time are looked at first."""
    pts = _pts(position)
    ends_s = [segment.written_s for segment in segments]
    near = sorted(range(len(segments)), key=lambda one: abs(ends_s[one] - time_us / 1_000_000))
    for number in near:
        packets = (line for line in segments[number].lines() if isinstance(line, list))
        if any(packet[PTS] == pts for packet in packets):
            return number
    return -1


def _is_past(sample: Sample, position: str) -> bool:
    info, wanted = sample.info, _pts(position)
    if info.pts is None or wanted is None:
        return False
    return (info.pts - wanted) * info.time_base > OVERSHOOT_S


def _moment(spec: StreamSpec) -> Moment:
    assert spec.at is not None
    return spec.at


def _pts(position: str) -> int | None:
    """When the frame is shown, or the one that it is told apart from, ticks; None: nobody knows."""
    match = _TICKS.match(position)
    return int(match[0]) if match else None

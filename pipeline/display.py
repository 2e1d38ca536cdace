"""How a running job looks to a person: a bar on a terminal, elsewhere a line every few seconds.

Counts in -> text on stderr out; the end report goes to stdout, as text or as one JSON object.
Knows nothing of how the counts come about.
"""

from __future__ import annotations

import json
import sys
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Protocol, TextIO

from pipeline.engine.camera import Camera, counted, told
from pipeline.engine.observer import shares
from pipeline.records.outage import span
from pipeline.secrets import mask

if TYPE_CHECKING:
    from rich.progress import Progress

PLAIN_PERIOD_S = 5.0
RATE_WINDOW_S = 10.0


@dataclass(frozen=True, slots=True)
class Status:
    """Where a job stands now.

    Attributes:
        frames: sampled frames that went through.
        records: records committed.
        ended: recordings that are done.
        streams: recordings in all.
        share: part of the footage that is done, 0 to 1; None where nobody knows (live).
        outage: that the sink is away and what that does, empty where it is not.
        cameras: every live stream -> how it fares.
    """

    frames: int
    records: int
    ended: int
    streams: int
    share: float | None = None
    outage: str = ""
    cameras: Mapping[str, Camera] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Report:
    """What a job did.

    Attributes:
        frames: sampled frames of this run.
        seconds: from start to end.
        records: topic -> records written in this run.
        streams: stream -> how it ended (`ok`, `degraded`, `rejected`, `stopped`).
        failures: stream -> why, of those that are not ok.
        sink: where the records lie, secrets masked.
        repeated: records that were there already.
        conflicting: records whose id was there with another payload: a bug.
        away_s: how long the sink was away.
        undelivered: camera -> sampled frames without records, because it was away to the end.
        cameras: live stream -> how it fared.
        stages: what engines were at -> seconds (`pipeline.engine.observer`).
    """

    frames: int
    seconds: float
    records: Mapping[str, int]
    streams: Mapping[str, str]
    sink: str
    failures: Mapping[str, str] = field(default_factory=dict)
    repeated: int = 0
    conflicting: int = 0
    away_s: float = 0.0
    undelivered: Mapping[str, int] = field(default_factory=dict)
    cameras: Mapping[str, Camera] = field(default_factory=dict)
    stages: Mapping[str, float] = field(default_factory=dict)

    def json(self) -> str:
        """The same for a script: one JSON object."""
        # any mapping; `asdict` would break a Counter
        tables = ("records", "streams", "failures", "undelivered")
        values = {one.name: getattr(self, one.name) for one in fields(self)}
        plain = values | {name: dict(values[name]) for name in tables}
        plain["failures"] = {stream: mask(why) for stream, why in self.failures.items()}
        plain["stages"] = {name: round(seconds, 3) for name, seconds in self.stages.items()}
        plain["cameras"] = {name: camera.plain() for name, camera in self.cameras.items()}
        return json.dumps(plain, ensure_ascii=False)

    def lines(self) -> list[str]:
        """The same for a person."""
        rate = self.frames / self.seconds if self.seconds else 0.0
        outcomes = list(self.streams.values())
        ended = ", ".join(f"{outcomes.count(kind)} {kind}" for kind in dict.fromkeys(outcomes))
        text = [
            f"{self.frames} frames in {self.seconds:.1f} s, {rate:.1f} frames/s",
            f"streams: {ended or 'none'}",
            *(f"  {stream}: {why}" for stream, why in self.failures.items()),
            *(f"  {stream}: {_fared(camera)}" for stream, camera in self.cameras.items()),
            *(f"{topic:>22} {count:>8} records" for topic, count in sorted(self.records.items())),
        ]
        if self.repeated:
            text.append(f"{self.repeated} records were there already")
        if self.conflicting:
            text.append(f"{self.conflicting} CONFLICTING records (same id, other payload): a bug")
        if self.away_s:
            text.append(f"the sink was away for {span(self.away_s)} and came back")
        for stream, frames in self.undelivered.items():
            text.append(f"{stream}: {frames} frames NOT DELIVERED")
        if self.stages:
            text.append(f"time: {shares(self.stages)}")
        return [*text, f"in {self.sink}"]


class Display(Protocol):
    """`update` comes from a thread of its own, the others from the main thread."""

    def update(self, status: Status) -> None:
        """Called as often as one likes; shows at its own pace."""

    def note(self, text: str) -> None:
        """One line that stays, above whatever moves."""

    def finish(self, report: Report) -> None:
        """Called once, at the end: stop moving and print the report."""

    def close(self) -> None:
        """Stop moving. Called in any case, also after `finish`."""


class Overload:
    """Pure: which cameras the engine is too slow for, from one look to the next."""

    def __init__(self) -> None:
        self._seen: Mapping[str, Camera] = {}

    def news(self, cameras: Mapping[str, Camera]) -> list[str]:
        """A line per camera that has lost frames since the last look."""
        lines = []
        for stream, camera in cameras.items():
            if dropped := camera.dropped_since(self._seen.get(stream, Camera())):
                age = f"its records are {camera.lag_s:.1f} s old"
                lines.append(f"{stream}: {told(dropped)}, {age}: the engine is too slow for it")
        self._seen = dict(cameras)
        return lines


class Meter:
    """Pure: turns counts over time into a rate and the time left."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, Status]] = deque()

    def add(self, now_s: float, status: Status) -> None:
        self._seen.append((now_s, status))
        while len(self._seen) > 2 and now_s - self._seen[1][0] >= RATE_WINDOW_S:
            self._seen.popleft()

    @property
    def frames_per_s(self) -> float:
        """Over the last ten seconds."""
        if len(self._seen) < 2:
            return 0.0
        (start_s, first), (end_s, last) = self._seen[0], self._seen[-1]
        return (last.frames - first.frames) / (end_s - start_s) if end_s > start_s else 0.0

    @property
    def left_s(self) -> float | None:
        """Until the footage is done at the pace of the last ten seconds; None where unknown."""
        if len(self._seen) < 2:
            return None
        (start_s, first), (end_s, last) = self._seen[0], self._seen[-1]
        if first.share is None or last.share is None or last.share <= first.share:
            return None
        return (1 - last.share) * (end_s - start_s) / (last.share - first.share)

    def text(self) -> str:
        """All of it as one line."""
        status = self._seen[-1][1]
        return "; ".join(filter(None, (self._counts(status), status.outage)))

    def _counts(self, status: Status) -> str:
        starting = all(camera.state == "starting" for camera in status.cameras.values())
        if starting and not status.frames and not status.ended:
            return f"starting, {status.streams + len(status.cameras)} streams"
        parts = [
            f"{status.frames} frames",
            f"{self.frames_per_s:.1f} frames/s",
            f"{status.records} records",
        ]
        if status.streams or not status.cameras:
            parts.append(f"{status.ended} of {status.streams} streams done")
        parts += [counted(status.cameras)] if status.cameras else []
        if self.left_s is not None:
            parts.append(f"about {self.left_s:.0f} s left")
        return ", ".join(parts)


class PlainDisplay:
    """Lines, for logs and pipes."""

    def __init__(
        self,
        *,
        as_json: bool = False,
        err: TextIO | None = None,
        out: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._as_json = as_json
        self._err = err or sys.stderr
        self._out = out or sys.stdout
        self._clock = clock
        self._meter = Meter()
        self._overload = Overload()
        self._next_s = clock() + PLAIN_PERIOD_S
        self._away = False

    def update(self, status: Status) -> None:
        now_s = self._clock()
        self._meter.add(now_s, status)
        news = bool(status.outage) != self._away
        self._away = bool(status.outage)
        if news or now_s >= self._next_s:
            self._next_s = now_s + PLAIN_PERIOD_S
            self.note(self._meter.text())
            self._note_overload(status)

    def _note_overload(self, status: Status) -> None:
        for line in self._overload.news(status.cameras):
            self.note(line)

    def note(self, text: str) -> None:
        print(mask(text), file=self._err, flush=True)

    def finish(self, report: Report) -> None:
        self.close()
        if self._as_json:
            print(report.json(), file=self._out, flush=True)
        else:
            print(mask("\n".join(report.lines())), file=self._out, flush=True)

    def close(self) -> None:
        """Nothing moves here."""


class BarDisplay(PlainDisplay):
    """A moving line on a terminal."""

    def __init__(
        self, *, as_json: bool = False, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(as_json=as_json, clock=clock)
        self._bar: Progress = _bar()
        self._task = self._bar.add_task("starting", total=None)
        self._bar.start()

    def update(self, status: Status) -> None:
        now_s = self._clock()
        self._meter.add(now_s, status)
        if now_s >= self._next_s:
            self._next_s = now_s + PLAIN_PERIOD_S
            self._note_overload(status)
        self._bar.update(
            self._task,
            description=self._meter.text(),
            total=None if status.share is None else 1.0,
            completed=status.share or 0.0,
        )

    def note(self, text: str) -> None:
        self._bar.console.print(mask(text), markup=False, highlight=False)

    def close(self) -> None:
        self._bar.stop()


def open_display(*, as_json: bool = False) -> Display:
    """The display that fits where stderr goes."""
    return BarDisplay(as_json=as_json) if sys.stderr.isatty() else PlainDisplay(as_json=as_json)


def _fared(camera: Camera) -> str:
    text = f"{camera.frames} frames, records at most {camera.worst_lag_s:.1f} s old"
    return f"{text}, {told(camera.dropped)}" if camera.dropped else text


def _bar() -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn

    return Progress(
        SpinnerColumn(), BarColumn(bar_width=24), TextColumn("{task.description}", markup=False),
        console=Console(stderr=True),
    )  # fmt: skip

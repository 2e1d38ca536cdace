"""How a running job looks to a person: a bar on a terminal, or a table of live streams, elsewhere a
line every few seconds.

Counts in -> text on stderr out; the end report goes to stdout. Knows nothing of how the counts come
about.
"""

from __future__ import annotations

import logging
import sys
import time
from collections import deque
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TextIO

from pipeline.drops import Drops, Loss
from pipeline.engine.camera import Camera, counted
from pipeline.engine.histogram import Histogram
from pipeline.logs import is_json
from pipeline.report import Report
from pipeline.secrets import mask
from pipeline.stream_table import StreamTable

if TYPE_CHECKING:
    from rich.console import Console
    from rich.live import Live
    from rich.progress import Progress

log = logging.getLogger(__name__)

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
        latencies: live stream -> what its frames took from capture to the sink.
        latest: those of which the latest frames alone are wanted.
    """

    frames: int
    records: int
    ended: int
    streams: int
    share: float | None = None
    outage: str = ""
    cameras: Mapping[str, Camera] = field(default_factory=dict)
    latencies: Mapping[str, Histogram] = field(default_factory=dict)
    latest: Collection[str] = ()


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
        self._drops = Drops()
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
            self._note_drops(status)

    def _note_drops(self, status: Status) -> None:
        for loss in self._drops.news(status.cameras, status.latest):
            self._tell(loss)

    def _tell(self, loss: Loss) -> None:
        self.note(loss.text)

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


class LogDisplay(PlainDisplay):
    """The same lines as records of the log, where somebody reads that and nothing else."""

    def _tell(self, loss: Loss) -> None:
        level = logging.INFO if loss.asked else logging.WARNING
        log.log(level, "%s", loss.text, extra={"stream": loss.stream})

    def note(self, text: str) -> None:
        log.info("%s", text)


class TerminalDisplay(PlainDisplay):
    """What moves on a terminal; lines that stay go by above it."""

    _console: Console

    def update(self, status: Status) -> None:
        now_s = self._clock()
        self._meter.add(now_s, status)
        if now_s >= self._next_s:
            self._next_s = now_s + PLAIN_PERIOD_S
            self._note_drops(status)
        self._draw(now_s, status)

    def note(self, text: str) -> None:
        self._console.print(mask(text), markup=False, highlight=False)

    def _draw(self, now_s: float, status: Status) -> None:
        raise NotImplementedError


class BarDisplay(TerminalDisplay):
    """A moving line."""

    def __init__(
        self, *, as_json: bool = False, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(as_json=as_json, clock=clock)
        self._bar: Progress = _bar()
        self._console = self._bar.console
        self._task = self._bar.add_task("starting", total=None)
        self._bar.start()

    def _draw(self, now_s: float, status: Status) -> None:
        self._bar.update(
            self._task,
            description=self._meter.text(),
            total=None if status.share is None else 1.0,
            completed=status.share or 0.0,
        )

    def close(self) -> None:
        self._bar.stop()


class TableDisplay(TerminalDisplay):
    """A line for every live stream, as many as there is room for, and one for all."""

    def __init__(
        self, *, as_json: bool = False, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(as_json=as_json, clock=clock)
        self._table = StreamTable()
        self._area: Live = _area()
        self._console = self._area.console
        self._area.start()

    def _draw(self, now_s: float, status: Status) -> None:
        from rich.text import Text

        self._table.add(now_s, status.cameras, status.latencies)
        width, height = self._console.size
        lines = self._table.lines(width, height - 1)
        text = "\n".join([*lines, self._meter.text()])
        self._area.update(Text(mask(text), no_wrap=True, overflow="crop"), refresh=True)

    def close(self) -> None:
        self._area.stop()


def open_display(*, as_json: bool = False, live: bool = False) -> Display:
    """The display that fits where stderr goes, and whether streams are live."""
    if is_json():
        return LogDisplay(as_json=as_json)
    if not sys.stderr.isatty():
        return PlainDisplay(as_json=as_json)
    return TableDisplay(as_json=as_json) if live else BarDisplay(as_json=as_json)


def _bar() -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn

    return Progress(
        SpinnerColumn(), BarColumn(bar_width=24), TextColumn("{task.description}", markup=False),
        console=Console(stderr=True),
    )  # fmt: skip


def _area() -> Live:
    from rich.console import Console
    from rich.live import Live

    # The report, which follows, tells the same of all streams: nothing of the area stays.
    return Live(console=Console(stderr=True), auto_refresh=False, transient=True)

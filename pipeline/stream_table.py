"""How every live stream fares, a line each, for a terminal: looks at them in -> text out. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipeline.engine.camera import Camera, State
from pipeline.engine.histogram import Histogram
from pipeline.records.outage import span

WINDOW_S = 10.0  # rates and latencies are those of the last so many seconds
LONGEST_NAME = 24
HEADER = ("state", "frames/s", "p95", "dropped", "since")
WIDTHS = (8, 8, 8, 8, 12)
_RANKS: Mapping[State, int] = {"lost": 0, "stalled": 1, "starting": 3, "live": 4, "ended": 5}
_DROPS = 2  # of a live one that is losing frames


@dataclass(frozen=True, slots=True)
class _Look:
    at_s: float
    cameras: Mapping[str, Camera]
    latencies: Mapping[str, Histogram]


class StreamTable:
    """Remembers the last seconds, and since when each stream is in its state."""

    def __init__(self) -> None:
        self._looks: deque[_Look] = deque()
        self._since_s: dict[str, tuple[State, float]] = {}

    def add(
        self, now_s: float, cameras: Mapping[str, Camera], latencies: Mapping[str, Histogram]
    ) -> None:
        """How they are now.

        Args:
            now_s: seconds, monotonic.
            cameras: live stream -> how it fares.
            latencies: live stream -> capture to sink, of all its frames so far.
        """
        self._looks.append(_Look(now_s, cameras, latencies))
        while len(self._looks) > 2 and now_s - self._looks[1].at_s >= WINDOW_S:
            self._looks.popleft()
        for name, camera in cameras.items():
            state, _ = self._since_s.get(name, (None, 0.0))
            if state != camera.state:
                self._since_s[name] = camera.state, now_s

    def lines(self, width: int, height: int) -> list[str]:
        """At most so many lines, and none of them wider: those in trouble first, and how many more
        there are. Nothing where there is no stream, or no room for one."""
        names = sorted(self._looks[-1].cameras, key=self._rank) if self._looks else []
        if not names or height < 2:
            return []
        shown = names if len(names) < height else names[: height - 2]
        name_width = min(LONGEST_NAME, max(map(len, ["stream", *shown])))
        text = [_line(("stream", *HEADER, ""), name_width)]
        text += [_line(self._cells(name), name_width) for name in shown]
        if len(shown) < len(names):
            text.append(f"and {len(names) - len(shown)} more")
        return [line[:width].rstrip() for line in text]

    def _rank(self, name: str) -> int:
        """Sorting keeps the streams' own order within a rank."""
        camera = self._looks[-1].cameras[name]
        drops = camera.state == "live" and camera.dropped_since(self._before(name))
        return _DROPS if drops else _RANKS[camera.state]

    def _before(self, name: str) -> Camera:
        return self._looks[0].cameras.get(name, Camera())

    def _cells(self, name: str) -> tuple[str, ...]:
        first, last = self._looks[0], self._looks[-1]
        camera = last.cameras[name]
        passed_s = last.at_s - first.at_s
        rate = (camera.frames - self._before(name).frames) / passed_s if passed_s else 0.0
        recent = last.latencies.get(name, Histogram()) - first.latencies.get(name, Histogram())
        p95_s = recent.quantile(0.95)
        return (
            name,
            camera.state,
            f"{rate:.1f}",
            "-" if p95_s is None else f"{p95_s:.2f} s",
            str(sum(camera.dropped.values())),
            span(last.at_s - self._since_s[name][1]),
            "".join(one if one.isprintable() else "?" for one in camera.why),
        )


def _line(cells: Sequence[str], name_width: int) -> str:
    name, state, *numbers, why = cells
    if len(name) > name_width:
        name = f"{name[: name_width - 1]}…"
    state = f"{state:<{WIDTHS[0]}}"
    aligned = [f"{one:>{width}}" for one, width in zip(numbers, WIDTHS[1:], strict=True)]
    return "  ".join((f"{name:<{name_width}}", state, *aligned, why))

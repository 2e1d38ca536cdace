"""The process of one cell: `python -m pipeline.bench.scale_run`, the cell as JSON on stdin.

It ends early where stdin does: so it outlives nobody who started it. To stdout goes how it stands,
a line at a time.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from pipeline.bench.rack import Rack
from pipeline.bench.roles import cpu_by_role, memory_by_role, roles_of, store_bytes
from pipeline.bench.scale_cell import Cell, Taken
from pipeline.bench.tree import Usage, usages
from pipeline.configuration.streams import stream_specs
from pipeline.decode.descriptors import allow_many_descriptors
from pipeline.decode.host import DecodeHost
from pipeline.engine.latency import Latency
from pipeline.engine.tally import Tally
from pipeline.errors import RuntimeFailure
from pipeline.job import DISPLAY_PERIOD_S, Run

MOST_S = 180.0  # for all streams to bring a first frame, and for one to come while it is measured
SETTLE_S = 5.0  # before it is measured, at most a fifth of that: first frames load things


class Watch:
    """Measures a run from beside it, and stops it then. Looks at it as often as a display does."""

    def __init__(self, cell: Cell, run: Run, over: threading.Event) -> None:
        """
        Args:
            over: nobody waits for an answer any more.
        """
        self._cell = cell
        self._run = run
        self._over = over
        self.taken: Taken | None = None

    def measure(self) -> None:
        """Until all is measured, or it is over."""
        try:
            if self._begun() and self._passed(min(SETTLE_S, self._cell.seconds / 5)):
                _say(f"all streams are live; measuring for {self._cell.seconds:g} s")
                self._measure()
        finally:
            self._run.stop()

    def _begun(self) -> bool:
        return self._reached(lambda tally: len(_live(tally)) == self._cell.streams)

    def _reached(self, there: Callable[[Tally], bool]) -> bool:
        """The run comes so far; False where it is over before."""
        most_s = MOST_S + self._cell.period_s
        until_s = time.monotonic() + most_s
        while not there(self._run.tally):
            if time.monotonic() > until_s:
                live = f"{len(_live(self._run.tally))} of {self._cell.streams}"
                raise RuntimeFailure(f"nothing to measure in {most_s:g} s; streams live: {live}")
            if self._over.wait(DISPLAY_PERIOD_S):
                return False
        return True

    def _passed(self, seconds: float) -> bool:
        """Time goes by while the tally is looked at; False where it is over meanwhile."""
        until_s = time.monotonic() + seconds
        while (left_s := until_s - time.monotonic()) > 0:
            _ = self._run.tally
            if self._over.wait(min(left_s, DISPLAY_PERIOD_S)):
                return False
        return True

    def _measure(self) -> None:
        before, before_s, earlier = self._look()
        began_s = time.monotonic()
        if not self._passed(self._cell.seconds):
            return
        if not self._reached(lambda tally: tally.frames > earlier.frames):
            return
        after, after_s, later = self._look()
        roles = roles_of(after, os.getpid(), self._cell.runtime)
        cpu_s = cpu_by_role(before, after, roles)
        if self._cell.runtime == "inline":
            cpu_s |= {"engine": cpu_s["engine"] - (after_s - before_s), "sink": after_s - before_s}
        latency = sum(later.latencies.values(), Latency())
        self.taken = Taken(
            seconds=time.monotonic() - began_s,
            frames=later.frames - earlier.frames,
            batches=later.batches.total() - earlier.batches.total(),
            dropped=_dropped(later) - _dropped(earlier),
            cpu_s=cpu_s,
            memory_bytes=memory_by_role(after, roles),
            store_bytes=store_bytes(after, roles),
            latency_s=latency.total.quantile(0.5),
        )

    def _look(self) -> tuple[dict[int, Usage], float, Tally]:
        return usages(os.getpid()), _committer_s(), self._run.tally


@contextmanager
def opened(cell: Cell) -> Iterator[Run]:
    """The cell's job, ready to run."""
    config = cell.config
    specs = stream_specs(config, live=True)
    if cell.runtime == "ray":
        from pipeline.bench.null_actors import NullEngineActor
        from pipeline.runtime.ray_run import RayRun

        yield RayRun(config, specs, fresh=True, tell=lambda _: None, engine=NullEngineActor)
        return
    from pipeline.bench.null_model import null_assembly
    from pipeline.runtime.inline import InlineRun

    with Rack() as rack:
        yield InlineRun(
            config,
            specs,
            fresh=True,
            tell=lambda _: None,
            build=null_assembly,
            decoders=lambda: DecodeHost(launch=rack.launch),
        )


def _live(tally: Tally) -> list[str]:
    return [name for name, camera in tally.cameras.items() if camera.frames]


def _dropped(tally: Tally) -> int:
    return sum(sum(camera.dropped.values()) for camera in tally.cameras.values())


def _committer_s() -> float:
    """CPU time of this process's committer so far; 0 where another process has it."""
    clocks = [
        time.pthread_getcpuclockid(thread.ident)
        for thread in threading.enumerate()
        if thread.name == "committer" and thread.ident
    ]
    return sum(map(time.clock_gettime, clocks))


def _set_at_end(over: threading.Event) -> None:
    """Where nobody is there any more who could be answered, stdin ends."""
    sys.stdin.read()
    over.set()


def _say(text: str) -> None:
    print(text, flush=True, file=sys.__stdout__)  # while Ray runs the other one swallows all


def main() -> int:
    """Run one cell."""
    cell = Cell.from_json(sys.stdin.readline())
    allow_many_descriptors()
    over = threading.Event()
    threading.Thread(target=_set_at_end, args=(over,), daemon=True).start()
    with opened(cell) as run:
        watch = Watch(cell, run, over)
        watching = threading.Thread(target=watch.measure)
        watching.start()
        try:
            run.run()
        finally:
            over.set()
            watching.join()
    if watch.taken is None:
        return 1
    cell.answer.write_text(json.dumps(watch.taken.to_json()))
    return 0


if __name__ == "__main__":
    sys.exit(main())

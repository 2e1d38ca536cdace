"""A replay and a live run at work on brokers, and a reader of all that they commit."""

from __future__ import annotations

import hashlib
import itertools
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.broker_trial import verdict
from benchmarks.broker_trial.here import Here
from benchmarks.broker_trial.pace import FILE
from benchmarks.cluster_trial.cameras import Cameras
from benchmarks.cluster_trial.cluster import ROOT
from benchmarks.cluster_trial.deliveries import Deliveries, Delivery, wait_until
from benchmarks.cluster_trial.figure import Figure
from pipeline.configuration.document import to_document
from pipeline.sinks.uri import open_reader

PREFIX = "trial"
CLIP, CAMERA = "clip", "camera-0"
STREAMS = (CLIP, CAMERA)
TOPIC = "embedding"
FOOTAGE = "synthetic:room?seed=1&seconds=200&fps=10&size=64x64"
SMALL = {
    "model": "dinov2_vitti14",
    "weights": "random",
    "short_side": 56,
    "threads": 1,
    "runtime": "inline",
    "sampling": {"all": True},
    "max_age_s": 60.0,
}
PACED = {TOPIC: {}, "benchmarks.broker_trial.pace:Pace": {}}
STEADY_S = 3.0  # of records, until a stream is at work again
FRESH_S = 2.0


class Stage:
    """Both runs and their sink.

    Attributes:
        uri: of the sink.
        deliveries: what a consumer sees that reads along.
    """

    def __init__(self, here: Here, brokers: str) -> None:
        """
        Args:
            here: where all of it is started and logs.
            brokers: `host:port`, with commas between them; they are there.
        """
        self.uri = f"kafka://{brokers}?topic_prefix={PREFIX}"
        self._brokers = brokers
        self._here = here
        self._go = here.log("go")
        self._environment = os.environ | {"PYTHONPATH": str(ROOT), FILE: str(self._go)}
        self._runs: dict[str, subprocess.Popen[bytes]] = {}
        self._expected = self._undisturbed(f"sqlite:{here.log('undisturbed.db')}")
        self.deliveries = Deliveries(brokers, PREFIX)

    def begin(self, **settings: object) -> None:
        """Bring both to work, with settings of the sink; each has records then."""
        sink = {"uri": self.uri, "settings": settings}
        urls = Cameras(self._here, 1, self._environment).urls
        streams = {CAMERA: {"url": urls[CAMERA]}}
        live = self._file("live", streams=streams, operators={TOPIC: {}}, sink=sink)
        self._runs[CAMERA] = self._command("live.log", "run", live)
        self._runs[CLIP] = self._replay(self._file("replay", operators=PACED, sink=sink))
        self.wait_at_work(time.monotonic())

    def hit(
        self, do: Callable[[], object], look_s: float = 0.0, steady_s: float = STEADY_S
    ) -> float:
        """Do something to the brokers.

        Args:
            do: it.
            look_s: until it has had its effect.
            steady_s: of records, until a stream is at work again.

        Returns:
            The longest pause of a stream until both are, seconds.
        """
        since_s = time.monotonic()
        do()
        time.sleep(look_s)
        self.wait_at_work(time.monotonic(), steady_s)
        return max(self._pause_s(stream, since_s) for stream in STREAMS)

    def wait_at_work(self, since_s: float, steady_s: float = STEADY_S) -> None:
        """Wait until both streams have had records for some seconds, since a moment."""

        def at_work() -> bool:
            return all(self._at_work(stream, since_s, steady_s) for stream in STREAMS)

        wait_until(at_work, "both at work")

    def end(self) -> Iterator[Figure]:
        """Have both runs end, and hold what they have written against what they should have."""
        self._go.touch()
        self._runs[CLIP].wait()
        self._runs[CAMERA].send_signal(signal.SIGTERM)
        codes = {stream: run.wait() for stream, run in self._runs.items()}
        failed = sum(map(bool, codes.values()))
        yield Figure("runs that failed", failed, "", goal=0, why=f"exit codes {codes}")
        along = self.deliveries.finish()
        late = self._read_late()
        yield Figure("streams that a late reader saw otherwise", verdict.unlike(along, late), "", 0)
        mine = {one: [each for each in late if each.stream == one] for one in STREAMS}
        yield from verdict.of_replay(mine[CLIP], TOPIC, self._expected)
        yield from verdict.of_camera(mine[CAMERA], TOPIC)
        audited = self._command("audit.log", "audit", self.uri).wait()
        yield Figure("dinostream audit: not complete", audited, "", goal=0)

    def close(self) -> None:
        """Follow nothing any more."""
        self.deliveries.close()

    def _read_late(self) -> list[Delivery]:
        reader = Deliveries(self._brokers, PREFIX)
        wait_until(lambda: reader.all, "a late reader's first record")
        return reader.finish()

    def _at_work(self, stream: str, since_s: float, steady_s: float) -> bool:
        if (code := self._runs[stream].poll()) is not None:
            raise RuntimeError(f"the run of {stream} has ended with {code}")
        seen, now_s = self._seen_s(stream, since_s), time.monotonic()
        return bool(seen) and now_s - seen[0] > steady_s and now_s - seen[-1] < FRESH_S

    def _pause_s(self, stream: str, since_s: float) -> float:
        seen = [since_s, *self._seen_s(stream, since_s)]
        return max(after - before for before, after in itertools.pairwise(seen))

    def _seen_s(self, stream: str, since_s: float) -> list[float]:
        """When each record could first be read, from a moment on."""
        return [
            one.seen_s
            for one in self.deliveries.all
            if one.stream == stream and one.topic == TOPIC and one.seen_s >= since_s
        ]

    def _undisturbed(self, sink: str) -> dict[str, str]:
        """Id -> payload of the recording's records where nothing happens, in order."""
        run = self._replay(self._file("undisturbed", operators={TOPIC: {}}, sink=sink))
        if run.wait():
            raise RuntimeError(self._here.log("replay.log").read_text())
        reader = open_reader(sink)
        messages = [record.message for record in reader.records([TOPIC])]
        reader.close()
        return {one.id: hashlib.sha256(one.value or b"").hexdigest() for one in messages}

    def _replay(self, config: Path) -> subprocess.Popen[bytes]:
        return self._command("replay.log", "replay", FOOTAGE, "--stream", CLIP, "--config", config)

    def _command(self, log: str, *words: str | Path) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "pipeline", *words]
        return self._here.start(command, log, self._environment)

    def _file(self, name: str, **values: Any) -> Path:
        path = self._here.log(f"{name}.yaml")
        path.write_text(to_document(SMALL | values))
        return path

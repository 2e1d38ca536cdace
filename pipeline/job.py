"""One job from configuration to exit code: streams, runtime, signals, what a person sees."""

from __future__ import annotations

import signal
import threading
import time
from collections import Counter
from collections.abc import Collection, Container, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from types import FrameType
from typing import Protocol

from pipeline import preflight
from pipeline.configuration.config import Config
from pipeline.configuration.streams import stream_specs
from pipeline.control.steered import Steered
from pipeline.display import Display, Status
from pipeline.engine.camera import Camera
from pipeline.engine.identity import Identity
from pipeline.engine.tally import Outcome, Tally
from pipeline.records.message import wall_clock_us
from pipeline.records.outage import away_s, said
from pipeline.report import Report
from pipeline.secrets import mask
from pipeline.sinks.spill.backlog import amount
from pipeline.sinks.uri import sink_name
from pipeline.stream.spec import Breaks, StreamSpec

DISPLAY_PERIOD_S = 0.5
DONE, FAILED, SOME_FAILED = 0, 1, 3
STOPPED = 128  # and the number of the signal, as shells say it
RECORDINGS, CAMERAS = "recordings wait", "cameras drop their oldest frames"
KEPT = "cameras go on: {} kept on disk"


class Run(Protocol):
    """A job in a runtime. `run` blocks; the others may be used from other threads meanwhile."""

    @property
    def specs(self) -> Mapping[str, StreamSpec]: ...

    @property
    def tally(self) -> Tally: ...

    @property
    def turned_s(self) -> float | None: ...

    def streams(self) -> Collection[str]: ...

    def check(self, spec: StreamSpec) -> None: ...

    def add(self, specs: Sequence[StreamSpec]) -> None: ...

    def remove(self, stream: str) -> None: ...

    def run(self) -> Tally: ...

    def stop(self) -> None: ...


def run_job(
    config: Config,
    *,
    live: bool,
    fresh: bool,
    display: Display,
    steered: Steered | None = None,
    breaks: Mapping[str, Breaks] | None = None,
) -> int:
    """Run a job until its streams end or a signal stops it.

    Args:
        config: what to run.
        live: streams are followed until SIGINT or SIGTERM; recordings run to their ends.
        fresh: forget earlier progress of the same job. Records stay.
        display: told what happens.
        steered: what its streams follow meanwhile, and where they are shown; None: neither.
        breaks: of taped streams: which frames another run left out, and this one does too.

    Returns:
        Exit code: 0 done, 1 failed, 3 some sources failed or lost frames, the others are complete;
        128 and the signal's number (130, 143) where it stopped recordings before their ends.

    Raises:
        DinostreamError: the job could not begin or go on.
    """
    specs = stream_specs(config, live=live)
    if breaks is not None:
        specs = [replace(one, breaks=breaks[one.stream]) if one.taped else one for one in specs]
    preflight.check(config)
    sink = sink_name(config.sink.uri)
    began_s = time.monotonic()
    stay = steered is not None and steered.listens
    run = _open(config, specs, fresh, display, stay)
    beside = steered.beside(run, config, display.note) if steered else nullcontext()
    with beside, _draining(run, display) as signals, _shown(run, display, sink):
        tally = run.run()
    specs = list(run.specs.values())
    display.finish(_report(config, tally, time.monotonic() - began_s))
    if letters := tally.records["deadletter"]:
        what = "frames that an operator failed on, or whose record is too large"
        display.note(f"{letters} dead letters: {what}; see the topic deadletter")
    if tally.given_up:
        display.note(tally.given_up)
    if tally.kept:
        display.note(
            f"{amount(tally.kept)} kept in {tally.kept_in}; the same command sends them first"
        )
    left = _left(tally.outcomes, specs)
    if left and (tally.given_up or signals):
        display.note(
            f"{left} of {sum(not spec.live for spec in specs)} recordings are not complete; the "
            "same command goes on with them where their last commit was"
        )
    if tally.given_up:
        return FAILED
    if left and signals and not live:
        return STOPPED + signals[0]
    if not live and sum(outcome.already for outcome in tally.outcomes) == len(specs):
        display.note("this job was complete already; --fresh does it again")
    return _exit_code(tally.outcomes, specs, live)


def _open(
    config: Config, specs: Sequence[StreamSpec], fresh: bool, display: Display, stay: bool
) -> Run:
    def tell(identity: Identity) -> None:
        for note in identity.notes:
            display.note(note)

    if config.runtime == "inline":
        from pipeline.runtime.inline import InlineRun

        return InlineRun(config, specs, fresh=fresh, tell=tell, stay=stay)
    from pipeline.runtime.ray_run import RayRun

    return RayRun(config, specs, fresh=fresh, tell=tell, stay=stay)


@contextmanager
def _draining(run: Run, display: Display) -> Iterator[list[int]]:
    """SIGINT and SIGTERM drain; a second one quits at once. Gives those that came."""
    came: list[int] = []

    def on_signal(number: int, _: FrameType | None) -> None:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        came.append(number)
        display.note(f"{signal.Signals(number).name}: finishing what is decoded; again to quit now")
        run.stop()

    if threading.current_thread() is not threading.main_thread():
        yield came  # only the main thread may set handlers; a notebook's caller stops the run
        return
    before = {
        number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield came
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _shown(run: Run, display: Display, sink: str) -> Iterator[None]:
    """Keeps the display up to date from a thread of its own."""
    over = threading.Event()

    def show() -> None:
        while not over.wait(DISPLAY_PERIOD_S):
            display.update(_status(run.tally, list(run.specs.values()), sink))

    thread = threading.Thread(target=show, name="display", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _left(outcomes: Sequence[Outcome], specs: Sequence[StreamSpec]) -> int:
    """How many recordings have not come to their ends."""
    ended = {one.stream for one in outcomes if one.status != "stopped"}
    return sum(not spec.live and spec.stream not in ended for spec in specs)


def _status(tally: Tally, specs: Sequence[StreamSpec], sink: str) -> Status:
    ended = {outcome.stream for outcome in tally.outcomes}
    recordings = {spec.stream for spec in specs if not spec.live}
    return Status(
        frames=tally.frames,
        records=tally.receipt.written,
        ended=len(ended & recordings),
        streams=len(recordings),
        share=_share(tally, specs),
        outage=_outage(tally, specs, sink),
        cameras={spec.stream: _camera(tally, spec.stream, ended) for spec in specs if spec.live},
        latencies={stream: latency.total for stream, latency in tally.latencies.items()},
        latest={spec.stream for spec in specs if spec.live and spec.drop == "latest"},
    )


def _camera(tally: Tally, stream: str, ended: Container[str]) -> Camera:
    camera = tally.cameras.get(stream, Camera())
    return replace(camera, state="ended") if stream in ended else camera


def _outage(tally: Tally, specs: Sequence[StreamSpec], sink: str) -> str:
    if tally.outage is None:
        return ""
    kinds = {spec.live for spec in specs}
    cameras = KEPT.format(amount(tally.kept)) if tally.kept else CAMERAS
    waits = [text for live, text in ((False, RECORDINGS), (True, cameras)) if live in kinds]
    away = said(sink, (wall_clock_us() - tally.outage.since_us) / 1e6)
    return "; ".join([away, "retrying", *waits])


def _share(tally: Tally, specs: Sequence[StreamSpec]) -> float | None:
    """Part of the footage that is done, each recording counted alike; None for live streams."""
    if not specs or any(spec.endless for spec in specs):
        return None
    ended = {outcome.stream for outcome in tally.outcomes}
    running = sum(share for stream, share in tally.shares.items() if stream not in ended)
    return (len(ended) + running) / len(specs)


def _report(config: Config, tally: Tally, seconds: float) -> Report:
    return Report(
        frames=tally.frames,
        unchanged=tally.unchanged,
        seconds=seconds,
        records=tally.records,
        streams={outcome.stream: outcome.status for outcome in tally.outcomes},
        sink=mask(config.sink.uri),
        failures={
            outcome.stream: f"complete already, but {outcome.detail}"
            if outcome.already
            else outcome.detail
            for outcome in tally.outcomes
            if outcome.status in ("degraded", "rejected")
        },
        repeated=tally.receipt.repeated,
        conflicting=tally.receipt.conflicting,
        away_s=away_s(tally.outages),
        undelivered=dict(tally.undelivered),
        cameras=dict(tally.cameras),
        stages=tally.seconds,
    )


def _exit_code(outcomes: Sequence[Outcome], specs: Sequence[StreamSpec], live: bool) -> int:
    """A degraded source misses frames, counted or not, so it is no better than a failed one to
    whoever goes by the code. A camera cannot be complete, and a live run is stopped on purpose."""
    of = {spec.stream: "stopped" for spec in specs} | {one.stream: one.status for one in outcomes}
    if live:
        of |= {spec.stream: "ok" for spec in specs if spec.live or of[spec.stream] == "stopped"}
    ended = Counter(of.values())
    if ended["ok"] == len(specs):
        return DONE
    whole = ended["ok"] + ended["degraded"]
    if whole and whole + ended["rejected"] == len(specs):
        return SOME_FAILED
    return FAILED

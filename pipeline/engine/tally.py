"""What a shard has done: counted while it runs, added up over shards, told at the end. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field, fields, replace
from typing import TypeVar

from pipeline.engine.camera import Camera, State
from pipeline.engine.latency import Latency, Spent
from pipeline.records.outage import Outage
from pipeline.records.record import Message
from pipeline.sinks.sink import Receipt
from pipeline.sinks.spill.backlog import Kept
from pipeline.stream.chunk import End
from pipeline.stream.drift import Drift
from pipeline.stream.progress import Progress

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one stream ended.

    Attributes:
        status: `Progress.status`.
        detail: why, where it is not ok.
        decoded, lost: frames, as the decoder counted them in this run.
        memory_bytes: peak resident memory of its decode process.
        resumed: it went on from an earlier run, or was complete before.
        already: it was complete before; what it tells is of then.
    """

    stream: str
    status: str
    detail: str = ""
    decoded: int = 0
    lost: int = 0
    memory_bytes: int = 0
    resumed: bool = False
    already: bool = False

    @classmethod
    def of(cls, end: End, why: str, *, resumed: bool) -> Outcome:
        """Of a stream that this run has brought to its end."""
        frames = (end.decoded, end.lost, end.memory_bytes)
        return cls(end.stream, end.outcome, why, *frames, resumed=resumed)

    @classmethod
    def before(cls, progress: Progress) -> Outcome:
        """Of a stream that an earlier run has done."""
        return cls(
            progress.stream,
            progress.status,
            progress.detail,
            lost=progress.lost,
            resumed=True,
            already=True,
        )


@dataclass(slots=True)
class Tally:
    """What a shard has done so far. Another thread may read a `snapshot` at any time.

    Attributes:
        frames: through the backbone.
        receipt: what the sink did with the records.
        records: records per topic.
        outcomes: streams that have ended.
        batches: number of streams in a batch -> batches.
        shares: stream -> part of its footage that is decoded, where that is known.
        cameras: live stream -> how it fares.
        outage: the sink's, while there is one.
        outages: the sink's, those that are over.
        given_up: why a sink or an engine was waited for no longer; empty where all went well.
        undelivered: camera -> sampled frames without records because of that.
        seconds: stage -> how long engines were at it (`pipeline.engine.observer`).
        earlier: live stream that came again -> how it had fared before.
        here: streams that the shard has, where somebody elsewhere is to know.
        latencies: live stream -> how long its frames took.
        kept: live stream -> what of it is on disk until the sink takes it.
        kept_in: the folder where.
        unchanged: frames that were not computed, because they repeat one.
    """

    frames: int = 0
    receipt: Receipt = field(default_factory=Receipt)
    records: Counter[str] = field(default_factory=Counter)
    outcomes: list[Outcome] = field(default_factory=list)
    batches: Counter[int] = field(default_factory=Counter)
    shares: dict[str, float] = field(default_factory=dict)
    outage: Outage | None = None
    outages: list[Outage] = field(default_factory=list)
    given_up: str = ""
    undelivered: Counter[str] = field(default_factory=Counter)
    cameras: dict[str, Camera] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    earlier: dict[str, Camera] = field(default_factory=dict)
    here: frozenset[str] = frozenset()
    latencies: dict[str, Latency] = field(default_factory=dict)
    kept: dict[str, Kept] = field(default_factory=dict)
    kept_in: str = ""
    unchanged: int = 0

    def see(
        self,
        progress: Progress,
        frames: int,
        dropped: Mapping[str, int],
        spent: Sequence[Spent],
        newest_us: int,
    ) -> None:
        """Note how a camera fares after a commit.

        Args:
            progress: that was committed.
            frames: that went through the operators in this run.
            dropped: cause -> frames, in this run.
            spent: what the frames of the commit took.
            newest_us: `FrameTimes.newest_us`.
        """
        stream = progress.stream
        latency = self.latencies.get(stream, Latency()).copy()  # a snapshot has the one before
        for one in spent:
            latency.add(one)
        self.latencies[stream] = latency
        whole = Camera(frames, dropped)
        if stream in self.earlier:
            whole = self.earlier[stream] + whole
        known = self.cameras.get(stream, Camera())
        age_s = max((sum(one) - one.decode_s for one in spent), default=known.lag_s)
        self.cameras[stream] = replace(
            known,
            frames=whole.frames,
            dropped=whole.dropped,
            lag_s=age_s,
            worst_lag_s=max(known.worst_lag_s, age_s),
            epoch=progress.epoch,
            ledger=progress.ledger,
            newest_us=newest_us or known.newest_us,
        )

    def turn(self, camera: str, state: State, why: str) -> None:
        """Note whether it is there."""
        known = self.cameras.get(camera)
        if known is None or (known.state, known.why) != (state, why):
            drift = known.drift if known and state not in ("lost", "ended") else None
            self.cameras[camera] = replace(known or Camera(), state=state, why=why, drift=drift)

    def measure(self, camera: str, drift: Drift | None) -> None:
        """Note how fast its clock runs."""
        known = self.cameras.get(camera, Camera())
        if known.drift != drift:
            self.cameras[camera] = replace(known, drift=drift)

    def forget(self, stream: str) -> None:
        """It is here again: how it ended before is no news any more. Its counts go on."""
        self.outcomes = [outcome for outcome in self.outcomes if outcome.stream != stream]
        self.shares.pop(stream, None)
        if stream in self.cameras:
            self.earlier[stream] = self.cameras[stream]
            self.cameras[stream] = replace(self.cameras[stream], state="starting", why="")

    def note_outage(self, outage: Outage | None) -> None:
        """The sink is away, or there again."""
        self.outage = outage

    def count(self, receipt: Receipt, messages: Sequence[Message]) -> None:
        """These went to the sink."""
        self.receipt += receipt
        self.records.update(message.topic for message in messages)

    def snapshot(self) -> Tally:
        """What it says now, for another thread, while the shard's goes on counting.

        Whoever walks through a container that grows meanwhile, as pickling does, fails; the copy
        of a dict or a list is one step that no other thread interrupts.
        """
        return Tally(*(copy(getattr(self, one.name)) for one in fields(self)))

    def since(self, known: Tally) -> Tally:
        """What is new to somebody who knows an earlier snapshot: of a thousand cameras few have had
        a commit in half a second."""
        return replace(
            self,
            cameras=_others(self.cameras, known.cameras),
            latencies=_others(self.latencies, known.latencies),
            earlier={},  # its own matter
        )

    def upon(self, known: Tally) -> Tally:
        """All of it again, where this is what is new since then."""
        return replace(
            self,
            cameras=known.cameras | self.cameras,
            latencies=known.latencies | self.latencies,
        )

    def bereft(self, why: str) -> Tally:
        """What an engine that is gone had done. Its cameras are lost until its successor has them;
        whether there is an outage, that one says."""
        cameras = {
            name: camera if camera.state == "ended" else replace(camera, state="lost", why=why)
            for name, camera in self.cameras.items()
        }
        return replace(self, outage=None, cameras=cameras, kept={})

    def parted(self, elsewhere: Container[str]) -> tuple[Tally, Tally]:
        """How streams fared that are elsewhere by now, and all the rest; how they ended here is no
        news any more."""
        gone = {
            name: replace(one, state="starting", why="")
            for name, one in self.cameras.items()
            if name in elsewhere
        }
        rest = {name: one for name, one in self.cameras.items() if name not in elsewhere}
        outcomes = [one for one in self.outcomes if one.stream not in elsewhere]
        return Tally(cameras=gone), replace(self, cameras=rest, outcomes=outcomes)

    def __add__(self, other: Tally) -> Tally:
        """Both, `other` being the later one. A stream has one outcome: the newest, or, where that
        one only found the stream complete, that of who completed it."""
        outcomes = {outcome.stream: outcome for outcome in self.outcomes}
        for outcome in other.outcomes:
            if outcome.decoded or outcome.stream not in outcomes:
                outcomes[outcome.stream] = outcome
        return Tally(
            self.frames + other.frames,
            self.receipt + other.receipt,
            self.records + other.records,
            list(outcomes.values()),
            self.batches + other.batches,
            self.shares | other.shares,
            self.outage or other.outage,
            self.outages + other.outages,
            self.given_up or other.given_up,
            self.undelivered + other.undelivered,
            self.cameras
            | {
                name: self.cameras[name] + camera if name in self.cameras else camera
                for name, camera in other.cameras.items()
            },
            {
                name: self.seconds.get(name, 0.0) + other.seconds.get(name, 0.0)
                for name in {**self.seconds, **other.seconds}
            },
            here=self.here | other.here,
            latencies=self.latencies
            | {
                name: self.latencies[name] + latency if name in self.latencies else latency
                for name, latency in other.latencies.items()
            },
            kept=self.kept | other.kept,
            kept_in=other.kept_in or self.kept_in,
            unchanged=self.unchanged + other.unchanged,
        )


def _others(now: Mapping[str, T], then: Mapping[str, T]) -> dict[str, T]:
    """Those that were replaced since: nothing in a tally's mappings is changed where it lies."""
    return {name: one for name, one in now.items() if then.get(name) is not one}

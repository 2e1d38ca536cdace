"""An engine actor, called as an object: what it says of its own end, and how it is run again."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from pipeline.configuration.resolve import resolve
from pipeline.engine.identity import Identity
from pipeline.runtime.ray_engine_actor import EngineActor
from pipeline.runtime.ray_room import Ask, Need
from pipeline.runtime.ray_watch import Lost, Patience, SinkLost
from pipeline.stream.spec import StreamSpec

CLIP = StreamSpec("clip", "clip.mp4", session="s")
GATE = StreamSpec("gate", "rtsp://127.0.0.1:1/gate", live=True)


class Shard:
    """Is told what comes in, and ends with an error."""

    def __init__(self, feed: Feed, ends_with: Exception) -> None:
        self.feed = feed
        self._ends_with = ends_with
        self.taken: list[str] = []

    def add(self, jobs: object, specs: list[StreamSpec], **_: object) -> None:
        self.taken += [spec.stream for spec in specs]

    def streams(self) -> set[str]:
        return set(self.taken)

    def remove(self, stream: str) -> None:
        self.taken.remove(stream)

    def run(self, *_: object, **__: object) -> None:
        assert not self.feed.closed
        raise self._ends_with


class Assembled:
    """An assembly, and the shards that it has made."""

    identity = Identity("dinov2_vits14", {}, {})

    def __init__(self, ends_with: Exception) -> None:
        self._ends_with = ends_with
        self.shards: list[Shard] = []

    def shard(self, config: object, feed: Feed, sink: object) -> Shard:
        self.shards.append(Shard(feed, self._ends_with))
        return self.shards[-1]


class Feed:
    """Closes."""

    def __init__(self, *_: object, **__: object) -> None:
        self.closed = False

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> EngineActor:
    monkeypatch.setattr("pipeline.runtime.ray_engine_actor.RayFeed", Feed)
    monkeypatch.setattr("pipeline.runtime.ray_engine_actor.decoders", lambda *_, **__: None)
    config = resolve(None, {"sources": ["synthetic:room"], "weights": "random"})
    asked = Need(0, 0, 1, 0), Ask(0)
    return EngineActor(config, None, *asked, Patience(lease_s=1e6), "engine 1", "info")


def run(engine: EngineActor, *specs: StreamSpec) -> None:
    sink = SimpleNamespace(beat=SimpleNamespace(remote=lambda: None))
    jobs = Assembled.identity.jobs(specs)
    engine.run(jobs, specs, sink, [], fresh=False, again=False, stay=False)


def test_an_engine_whose_node_goes_down_is_lost_and_no_failure(engine) -> None:
    engine._assembly = Assembled(OSError("Connection reset by peer"))
    with pytest.raises(Lost, match="its node is going down: Connection reset by peer"):
        run(engine, CLIP)
    assert engine._assembly.shards[0].feed.closed


def test_one_that_has_lost_its_sink_is_run_again_with_decoders_of_its_own(engine) -> None:
    assembled = engine._assembly = Assembled(SinkLost("gone"))
    with pytest.raises(SinkLost):
        run(engine, CLIP)
    assert engine.beat().answer is None, "what it has done is the driver's by now"
    engine.add(assembled.identity.jobs([GATE]), [GATE])  # between its runs
    with pytest.raises(SinkLost):
        run(engine, CLIP)
    first, second = assembled.shards
    assert (first.taken, second.taken) == (["clip"], ["clip", "gate"])
    assert first.feed is not second.feed
    assert second.feed.closed

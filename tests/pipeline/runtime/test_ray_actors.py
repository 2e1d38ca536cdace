"""An engine actor, called as an object: what it says of its own end."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from pipeline.configuration.resolve import resolve
from pipeline.engine.identity import Identity
from pipeline.runtime.ray_actors import EngineActor
from pipeline.runtime.ray_room import Ask, Need
from pipeline.runtime.ray_watch import Lost, Patience
from pipeline.stream.spec import StreamSpec

CLIP = StreamSpec("clip", "clip.mp4", session="s")


class Assembled:
    """An assembly whose shard finds that the node's Ray is gone."""

    identity = Identity("dinov2_vits14", {}, {})

    def shard(self, *_: object) -> Assembled:
        return self

    def add(self, *_: object, **__: object) -> None:
        """Takes what it is given."""

    def run(self, *_: object, **__: object) -> None:
        raise OSError("Connection reset by peer")


class Feed:
    """Closes."""

    def __init__(self, *_: object) -> None:
        self.closed = False

    def close(self) -> None:
        self.closed = True


def test_an_engine_whose_node_goes_down_is_lost_and_no_failure(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("pipeline.runtime.ray_actors.RayFeed", Feed)
    monkeypatch.setattr("pipeline.runtime.ray_actors.decoders", lambda *_, **__: None)
    config = resolve(None, {"sources": ["synthetic:room"], "weights": "random"})
    asked = Need(0, 0, 1, 0), Ask(0)
    engine = EngineActor(config, None, *asked, Patience(lease_s=1e6), "engine 1", "info")
    engine._assembly = Assembled()
    sink = SimpleNamespace(beat=SimpleNamespace(remote=lambda: None))
    jobs = Assembled.identity.jobs([CLIP])
    with pytest.raises(Lost, match="its node is going down: Connection reset by peer"):
        engine.run(jobs, [CLIP], sink, [], fresh=False, again=False, stay=False)
    assert engine._feed.closed

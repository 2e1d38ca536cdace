"""Decode actors on a Ray that does what it is told: what their successors go on with, what is lost
with them, and who is to blame."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from random import Random

import numpy as np
import pytest
from ray.exceptions import RayActorError

from operators.frames import FrameInfo
from pipeline.decode.backoff import FIRST_S, LONGEST_S
from pipeline.runtime.ray_feed import LIVES_WITHOUT_PROGRESS, RayFeed
from pipeline.runtime.ray_room import DECODER_STREAMS
from pipeline.runtime.ray_watch import Patience
from pipeline.stream.chunk import Chunk, End, Entry, Fault, Frames, Gap, Trouble
from pipeline.stream.spec import StreamSpec

CLIP = StreamSpec("clip", "clip.mp4", session="s")
GATE = StreamSpec("gate", "https://127.0.0.1:1/gate.m3u8", live=True)
PATIENCE = Patience()


class Decoder:
    """A decode actor that answers its calls, one after the other, then dies."""

    def __init__(self, *answers: object) -> None:
        """
        Args:
            answers: entries of a chunk, or the result itself.
        """
        self._answers = list(answers)
        self.opened: list[StreamSpec] = []

    def open(self, spec: StreamSpec) -> None:
        self.opened.append(spec)

    def exchange(self, wanted: list[str], timeout_s: float) -> object:
        if not self._answers:
            raise RayActorError
        answer = self._answers.pop(0)
        return Chunk(answer, 0.0) if isinstance(answer, tuple) else answer

    def stop(self, stream: str) -> None:
        """Has nothing to stop."""


@pytest.fixture
def feed_of(fake_ray) -> Callable[..., RayFeed]:
    """Makes a feed whose actors are these, one after the other; the first is there."""

    def make(*lives: Decoder, most: int = 0) -> RayFeed:
        bodies = iter(lives)
        told = (PATIENCE, fake_ray.clock, Random(0))
        return RayFeed(lambda: fake_ray.start(next(bodies)), 1, *told, most=most)

    return make


def frames(stream: str, count: int = 1, mark: int = 0) -> Frames:
    info = FrameInfo(stream, "s", "0", 0, Fraction(1, 30), 0, 0, (28, 28))
    pixels = np.zeros((count, 28, 28, 3), np.uint8)
    return Frames((info,) * count, pixels, (1,) * count, {"mark": [mark]})


def entries_of(feed: RayFeed) -> list[Entry]:
    return [entry for chunk in feed.wait(0.0) for entry in chunk.entries]


def test_a_camera_goes_on_behind_what_a_dead_actor_has_shown(feed_of, fake_ray) -> None:
    successor = Decoder((), ())
    feed = feed_of(Decoder((frames("gate", mark=7),)), successor)
    feed.open(GATE)
    feed.request("gate")
    entries_of(feed)
    feed.request("gate")
    entries_of(feed)
    fake_ray.clock.advance(FIRST_S)
    entries_of(feed)
    assert successor.opened == [GATE.after({"mark": [7]})]


def test_what_a_camera_lost_under_a_dead_actor_stays_in_its_end(feed_of, fake_ray) -> None:
    dead = [
        (frames("gate", 3), Fault("gate", "decode", "torn", lost=2)),
        (Trouble("gate", "crashed", "its decoder died", lost=5),),
        (Gap("gate", "dropped", 4, cause="full"),),
    ]
    end = End("gate", "stopped", decoded=30, lost=1, sampled=6)
    feed = feed_of(Decoder(*dead), Decoder((frames("gate", 6),), (end,)))
    feed.open(GATE)
    said: list[Entry] = []
    while not (said and isinstance(said[-1], End)):
        if not said or not isinstance(said[-1], Trouble):
            feed.request("gate")
        said += entries_of(feed)
        fake_ray.clock.advance(FIRST_S)
    assert (said[-1].decoded, said[-1].sampled, said[-1].lost) == (37, 13, 8)
    (crash,) = [one for one in said if isinstance(one, Trouble) and not one.lost]
    assert (crash.kind, "is not known" in crash.detail) == ("crashed", True)
    assert said[said.index(crash) + 1] == Gap("gate", "reconnected")


def test_a_camera_that_had_brought_nothing_is_not_connected_again(feed_of, fake_ray) -> None:
    feed = feed_of(Decoder(), Decoder((frames("gate"),), ()))
    feed.open(GATE)
    feed.request("gate")
    said = entries_of(feed)
    fake_ray.clock.advance(FIRST_S)
    said += entries_of(feed)
    assert [type(one) for one in said] == [Trouble, Frames]


def on_its_way(feed_of, fake_ray, answered):
    """An answer that is there on another node, which nobody has fetched during a long step."""
    answer = answered(Chunk((frames("gate"),), 0.0), local=False)
    feed = feed_of(Decoder((), answer), Decoder(()))
    feed.open(GATE)
    feed.request("gate")
    feed.wait(0.0)
    fake_ray.clock.advance(PATIENCE.silence_s + 60)
    assert entries_of(feed) == [], "it is on its way from its node"
    return feed, answer


def test_an_actor_that_answered_during_a_long_step_is_not_late(feed_of, fake_ray, answered) -> None:
    feed, answer = on_its_way(feed_of, fake_ray, answered)
    answer.local = True
    fake_ray.clock.advance(PATIENCE.silence_s)
    assert [type(one) for one in entries_of(feed)] == [Frames]


def test_an_answer_that_cannot_be_fetched_is_lost(feed_of, fake_ray, answered) -> None:
    feed, _ = on_its_way(feed_of, fake_ray, answered)
    fake_ray.clock.advance(PATIENCE.silence_s + 1)
    assert [type(one) for one in entries_of(feed)] == [Trouble]


def test_an_actor_that_keeps_a_call_is_late(feed_of, fake_ray, never) -> None:
    feed = feed_of(Decoder((), never()), Decoder(()))
    feed.open(GATE)
    feed.request("gate")
    feed.wait(0.0)
    fake_ray.clock.advance(PATIENCE.silence_s + 60)
    assert [type(one) for one in entries_of(feed)] == [Trouble]


def test_actors_that_die_at_once_are_started_ever_more_rarely_and_told_once(
    feed_of, fake_ray
) -> None:
    feed = feed_of(*[Decoder() for _ in range(99)])
    feed.open(GATE)
    feed.request("gate")
    said: list[Entry] = []
    while fake_ray.clock.now_s < 600:
        said += entries_of(feed)
        fake_ray.clock.advance(0.25)
    assert [type(one) for one in said] == [Trouble]
    assert 600 / LONGEST_S < len(fake_ray.actors) < 50


def test_a_death_after_new_frames_is_told_again_and_waits_no_longer(feed_of, fake_ray) -> None:
    feed = feed_of(*[Decoder((frames("gate"),)) for _ in range(8)])
    feed.open(GATE)
    said: list[Entry] = []
    for _ in range(8):
        feed.request("gate")
        said += entries_of(feed) + entries_of(feed)
        fake_ray.clock.advance(FIRST_S)
    again = [Gap, Frames, Trouble]
    assert [type(one) for one in said] == [*again[1:], *7 * again]


def test_a_camera_beside_it_does_not_shield_a_recording_that_kills_its_actors(
    feed_of, fake_ray
) -> None:
    feed = feed_of(*[Decoder((frames("gate"),)) for _ in range(9)])
    feed.open(GATE)
    feed.open(CLIP)
    feed.request("clip")
    said: list[Entry] = []
    while not (said and isinstance(said[-1], End)):
        feed.request("gate")
        said += entries_of(feed) + entries_of(feed)
        fake_ray.clock.advance(FIRST_S)
    fault, end = said[-2:]
    assert (fault.stream, end.stream, end.outcome) == ("clip", "clip", "rejected")
    assert len(fake_ray.actors) == LIVES_WITHOUT_PROGRESS


def test_a_stream_that_is_stopped_ends_without_a_new_actor(feed_of, fake_ray) -> None:
    feed = feed_of(Decoder((frames("gate", 3),)), Decoder())
    feed.open(GATE)
    feed.request("gate")
    entries_of(feed)
    feed.request("gate")
    feed.wait(0.0)
    feed.stop("gate")
    (end,) = entries_of(feed)
    assert (end.outcome, end.sampled) == ("stopped", 3)
    fake_ray.clock.advance(LONGEST_S)
    entries_of(feed)
    assert len(fake_ray.actors) == 1


def ended(spec: StreamSpec) -> End:
    return End(spec.stream, "stopped")


def test_actors_grow_with_their_streams_up_to_the_bound(feed_of, fake_ray) -> None:
    cameras = [replace(GATE, stream=f"gate-{number}") for number in range(3 * DECODER_STREAMS)]
    decoders = [Decoder() for _ in range(2)]
    feed = feed_of(*decoders, most=2)
    for number, camera in enumerate(cameras):
        feed.open(camera)
        assert len(fake_ray.actors) == (1 if number < DECODER_STREAMS else 2)
    assert [len(one.opened) for one in decoders] == [3 * DECODER_STREAMS // 2] * 2


def test_without_a_bound_they_stay_as_many(feed_of, fake_ray) -> None:
    feed = feed_of(Decoder())
    for number in range(3 * DECODER_STREAMS):
        feed.open(replace(GATE, stream=f"gate-{number}"))
    assert len(fake_ray.actors) == 1


def test_one_that_has_no_stream_any_more_is_let_go_but_for_the_last(feed_of, fake_ray) -> None:
    cameras = [replace(GATE, stream=f"gate-{number}") for number in range(DECODER_STREAMS + 1)]
    first, second = Decoder(tuple(map(ended, cameras[:-1]))), Decoder((ended(cameras[-1]),))
    feed = feed_of(first, second, most=2)
    for camera in cameras:
        feed.open(camera)
    told = entries_of(feed)
    assert {one.stream for one in told if isinstance(one, End)} == {c.stream for c in cameras}
    feed.wait(0.0)
    assert [one.killed for one in fake_ray.actors] == [True, False]
    feed.open(CLIP)
    assert [one.stream for one in second.opened] == [cameras[-1].stream, "clip"]

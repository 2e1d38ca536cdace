"""Which tracks there are: begun, going on, lost, found again, given up, and always the same."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import pytest

from operators.track.sightings import Sightings
from operators.track.track import Moment, Track
from operators.track.tracker import Rules, Tracker

Sighted = Callable[..., Sightings]
At = Callable[[float], Moment]

RED, BLUE = [1.0, 0.0], [0.0, 1.0]


def seen_ids(tracker: Tracker, now: Moment) -> dict[int, tuple[float, ...]]:
    """Of what is seen now and has an id: id -> box."""
    return {one.id: one.box for one in tracker.tracks if one.id and one.last == now}


def test_a_thing_has_an_id_once_it_was_seen_often_enough(sighted: Sighted, at: At) -> None:
    tracker = Tracker(Rules(sightings=3))
    for number in range(3):
        assert [one.id for one in tracker.tracks if one.id] == []
        tracker.step(at(number * 0.2), sighted([(100 + 5 * number, 100, 40)]))
    (track,) = tracker.tracks
    assert (track.id, track.sightings, track.start) == (1, 3, at(0))


def test_what_is_seen_once_and_never_again_leaves_nothing(sighted: Sighted, at: At) -> None:
    tracker = Tracker(Rules())
    tracker.step(at(0), sighted([(100, 100, 40)]))
    assert tracker.step(at(0.2), sighted([])) == []
    assert (tracker.tracks, tracker.next_id) == ((), 1)


@pytest.mark.parametrize("fps", [2, 5, 10])
def test_two_that_pass_each_other_stay_who_they_are(sighted: Sighted, at: At, fps: int) -> None:
    """They are as wide as they go in a fifth of a second, and cross in the middle."""
    tracker = Tracker(Rules())
    for number in range(4 * fps + 1):
        second = number / fps
        left, right = (20 + 150 * second, 100, 30), (620 - 150 * second, 104, 30)
        now = at(second)
        tracker.step(now, sighted([left, right], looks=[RED, BLUE]))
    boxes = seen_ids(tracker, now)
    assert boxes.keys() == {1, 2}
    assert boxes[1][0] > boxes[2][0], "the first has gone to the right"


def test_looks_tell_two_apart_that_places_do_not(sighted: Sighted, at: At) -> None:
    tracker = Tracker(Rules())
    for number in range(5):
        tracker.step(at(number * 0.5), sighted([(100, 100, 40), (130, 100, 40)], looks=[RED, BLUE]))
    tracker.step(at(2.5), sighted([(130, 100, 40), (100, 100, 40)], looks=[RED, BLUE]))
    assert {one.id: one.box[0] for one in tracker.tracks} == {1: 110, 2: 80}


def test_a_lost_thing_is_found_again_until_it_is_given_up(sighted: Sighted, at: At) -> None:
    def after(hidden_s: float) -> tuple[list[int], list[Track]]:
        tracker = Tracker(Rules(lost_s=2))
        for number in range(5):
            tracker.step(at(number * 0.2), sighted([(100, 100, 40)]))
        given_up = tracker.step(at(0.8 + hidden_s / 2), sighted([]))
        assert given_up == []
        assert [one.id for one in tracker.tracks] == [1]
        given_up = []
        for second in (0.8 + hidden_s, 1.0 + hidden_s):
            given_up += tracker.step(at(second), sighted([(110, 100, 40)]))
        return [one.id for one in tracker.tracks], given_up

    assert after(1.9) == ([1], [])
    ids, given_up = after(2.1)
    assert ids == [2]
    assert [(one.id, one.last) for one in given_up] == [(1, at(0.8))]


def test_a_thing_that_looks_otherwise_is_another(sighted: Sighted, at: At) -> None:
    tracker = Tracker(Rules())
    for number in range(5):
        tracker.step(at(number * 0.2), sighted([(100, 100, 40)], looks=[RED]))
    for number in range(5, 7):
        tracker.step(at(number * 0.2), sighted([(100, 100, 40)], looks=[BLUE]))
    assert [(one.id, one.last.time_us) for one in tracker.tracks] == [(1, 800_000), (2, 1_200_000)]


def test_its_label_is_what_most_detections_say(sighted: Sighted, at: At) -> None:
    tracker = Tracker(Rules())
    for number, label in enumerate([4, 2, 2, 4, 2]):
        tracker.step(at(number * 0.2), sighted([(100, 100, 40)], labels=[label]))
    (track,) = tracker.tracks
    assert (track.id, track.label) == (1, 2)
    assert dict(track.votes) == pytest.approx({4: 1.8, 2: 2.7})


def test_the_surer_of_two_boxes_is_the_thing(sighted: Sighted, at: At) -> None:
    tracker = Tracker(Rules())
    for number in range(5):
        tracker.step(at(number * 0.2), sighted([(100, 100, 40)]))
    tracker.step(at(1), sighted([(104, 100, 40), (96, 100, 40)], scores=[0.9, 0.2]))
    assert [(one.id, one.box[0]) for one in tracker.tracks] == [(1, 84), (0, 76)]


def test_it_needs_to_know_nothing_of_looks(sighted: Sighted, at: At) -> None:
    tracker = Tracker(Rules())
    for number in range(4):
        things = [(100 + 10 * number, 100, 40), (300 - 10 * number, 100, 40)]
        tracker.step(at(number * 0.2), sighted(things, looks=[[], []]))
    assert {one.id: one.box[0] for one in tracker.tracks} == {1: 110, 2: 250}


def wandering(sighted: Sighted, frames: int) -> list[Sightings]:
    """Eight things of three kinds that wander, are missed, and false ones."""
    rng = np.random.default_rng(5)
    places, looks = rng.uniform(50, 550, (8, 2)), rng.normal(size=(8, 6))
    found = []
    for _ in range(frames):
        places = places + rng.normal(0, 15, places.shape)
        there = np.flatnonzero(rng.random(8) < 0.8)
        own = looks[there] + rng.normal(0, 0.3, (len(there), 6))
        things = [(*places[one], 40.0) for one in there] + [(*rng.uniform(50, 550, 2), 30.0)]
        own = np.concatenate([own, rng.normal(size=(1, 6))])
        own /= np.linalg.norm(own, axis=1, keepdims=True)
        labels = [*(there % 3).tolist(), 1]
        found.append(sighted(things, looks=own.tolist(), labels=labels))
    return found


def test_who_goes_on_from_its_state_says_the_same_from_every_frame_on(
    sighted: Sighted, at: At
) -> None:
    frames = wandering(sighted, 40)
    whole = Tracker(Rules(lost_s=0.7))
    resumed = Tracker(Rules(lost_s=0.7))
    for number, seen in enumerate(frames):
        ended = whole.step(at(number * 0.2), seen)
        assert [one.id for one in resumed.step(at(number * 0.2), seen)] == [one.id for one in ended]
        state = json.dumps([one.to_json() for one in whole.tracks])
        assert json.dumps([one.to_json() for one in resumed.tracks]) == state
        again = [Track.from_json(one) for one in json.loads(state)]
        resumed = Tracker(Rules(lost_s=0.7), again, whole.next_id)
    assert whole.next_id > 8
    assert any(one.id for one in whole.tracks)


def test_of_two_that_are_equally_good_the_first_is_taken_every_time(
    sighted: Sighted, at: At
) -> None:
    found = []
    for _ in range(3):
        tracker = Tracker(Rules(sightings=1))
        tracker.step(at(0), sighted([(100, 100, 40)]))
        tracker.step(at(0.2), sighted([(110, 100, 40), (90, 100, 40)]))
        found.append([(one.id, one.box[0]) for one in tracker.tracks])
    assert found[0] == found[1] == found[2]
    assert len(found[0]) == 2

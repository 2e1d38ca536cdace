"""What is said of things: for people and as JSON, in both directions of time."""

from __future__ import annotations

from pipeline.follow.asked import asked
from pipeline.follow.carried import Sighting
from pipeline.follow.told import Told

LABELS = asked([("cup", (1, 1)), ("hand", (2, 2))], [], []).labels
TIMES_S = [0.0, 0.2, 0.4, 0.6, 0.8]
THERE = Sighting(6, (1, 2, 4, 4))


def told():
    """Marked in frame 2; the cup is hidden in frame 3, the hand was not there before frame 1."""
    seen = {0: {1}, 1: {1, 2}, 2: {1, 2}, 3: {2}, 4: {1, 2}}
    sighted = {number: dict.fromkeys(ids, THERE) for number, ids in seen.items()}
    return Told(LABELS, TIMES_S, 2, sighted, (range(3, 5), range(1, -1, -1)))


def test_people_are_told_when_what_was_lost():
    assert told().lines() == [
        "cup: seen in 4 of 5 frames; lost at 0.6 s, found again at 0.8 s",
        "hand: seen in 4 of 5 frames; lost at 0.0 s",
    ]


def test_all_of_it_is_json():
    said = told().plain({"source": "a.mp4"})
    assert said["source"] == "a.mp4"
    assert said["marked"] == {"frame": 2, "time_s": 0.4}
    assert said["rules"] == {"last": 7, "radius": 12, "top": 5, "temperature": 0.2}
    assert said["things"][0] == {
        "id": 1,
        "name": "cup",
        "frames": 4,
        "lost": [{"lost_s": 0.6, "last_s": 0.6, "found_s": 0.8}],
    }
    assert said["frames"][3] == {
        "frame": 3,
        "time_s": 0.6,
        "seen": {"hand": {"pixels": 6, "box": [1, 2, 4, 4]}},
    }

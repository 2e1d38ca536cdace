"""What lasts is an episode, what passes is none."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

import pytest

from operators.frames import FrameInfo
from operators.tamper.verdict import CLEAR
from operators.tamper.watch import Episode, Watch

Frame = Callable[..., FrameInfo]

LEAST_S = 1.0  # five frames and the one that it begins at
WORDS = {".": CLEAR, "m": "moved", "c": "covered"}


def told(watch: Watch, frame: Frame, verdicts: str, first: int = 0) -> list[Episode]:
    """One letter a frame, 0.2 s apart."""
    found = [
        watch.push(frame(number), WORDS[letter], 0.5 if letter != "." else 0.0, LEAST_S)
        for number, letter in enumerate(verdicts, start=first)
    ]
    return [one for one in found if one]


def spans(episodes: Sequence[Episode]) -> list[tuple[str, int, int]]:
    return [
        (one.kind, *(int(info.position) // 18_000 for info in (one.start, one.end)))
        for one in episodes
    ]


@pytest.mark.parametrize(
    ("verdicts", "episodes"),
    [
        ("." * 20, []),
        ("...mmmmm......", []),  # as long as a lorry takes
        ("...mmmmmm......", [("moved", 3, 8)]),
        ("...mmmmmmmm..mm.....mm......", [("moved", 3, 21)]),  # what returns at once goes on
        ("..mmmmmmmcccccc......", [("moved", 2, 8), ("covered", 9, 14)]),
        ("..mmmcccmmmccc......", []),
    ],
)
def test_what_lasts_is_told_when_it_has_been_over_as_long(
    frame: Frame, verdicts: str, episodes: list[tuple[str, int, int]]
) -> None:
    assert spans(told(Watch(), frame, verdicts)) == episodes


def test_it_is_known_while_it_lasts_and_since_when(frame: Frame) -> None:
    watch = Watch()
    assert told(watch, frame, "...mmmmm") == []
    assert watch.current
    assert (watch.current.kind, watch.held, watch.calm) == (CLEAR, "moved", False)
    told(watch, frame, "m", first=8)
    assert (watch.current.kind, watch.current.start) == ("moved", frame(3))
    told(watch, frame, "..", first=9)
    assert (watch.current.kind, watch.held, watch.calm) == ("moved", "moved", False)


def test_the_peak_is_the_first_of_the_strongest_frames(frame: Frame) -> None:
    watch = Watch(Episode.of(CLEAR, frame(0), 0.0))
    for number, strength in enumerate([0.7, 0.9, 0.8, 0.9, 0.7, 0.7, 0.7], start=1):
        watch.push(frame(number), "moved", strength, LEAST_S)
    episode = watch.flush()
    assert episode
    assert (episode.peak, episode.peak_at) == (0.9, frame(2))
    assert watch.flush() is None


def test_a_view_that_was_clear_ends_without_a_word(frame: Frame) -> None:
    watch = Watch()
    told(watch, frame, "....mmm")
    assert watch.flush() is None


def test_it_goes_on_where_it_was(frame: Frame) -> None:
    verdicts = "..mmmmmmmcccccc...mm......cc"
    whole = spans(told(Watch(), frame, verdicts))
    for cut in range(len(verdicts)):
        watch = Watch()
        before = told(watch, frame, verdicts[:cut])
        again = Watch.from_json(json.loads(json.dumps(watch.to_json())))
        assert spans(before + told(again, frame, verdicts[cut:], first=cut)) == whole

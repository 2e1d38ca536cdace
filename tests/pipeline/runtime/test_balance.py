"""Who takes a new stream, and which camera goes elsewhere: from what engines have done."""

from __future__ import annotations

import pytest

from pipeline.engine.camera import Camera
from pipeline.engine.observer import WAIT
from pipeline.engine.tally import Tally
from pipeline.runtime.balance import CYCLE_S, LASTING, LULL, Balance, Move


class Engines:
    """Work for a while, as busy as they are told to be, on so many frames of each camera."""

    def __init__(self) -> None:
        self.balance = Balance()
        self.now_s = 100.0
        self._tallies: dict[int, Tally] = {}

    def work(self, cycles: int, busy: dict[int, float], frames: dict[int, dict[str, int]]) -> None:
        for index in busy:
            self._tallies.setdefault(index, Tally())
        self._say()
        for _ in range(cycles):
            for step in range(20):
                self.now_s += CYCLE_S / 20
                for index, share in busy.items():
                    self._add(index, share, frames.get(index, {}) if step == 0 else {})
                self._say()

    def _add(self, index: int, share: float, frames: dict[str, int]) -> None:
        tally = self._tallies[index]
        tally.seconds[WAIT] = tally.seconds.get(WAIT, 0.0) + (1 - share) * CYCLE_S / 20
        for stream, count in frames.items():
            before = tally.cameras.get(stream, Camera()).frames
            tally.cameras[stream] = Camera(before + count)

    def _say(self) -> None:
        for index, tally in self._tallies.items():
            self.balance.see(index, tally, self.now_s)

    def move(self, *streams: set[str]) -> Move | None:
        return self.balance.move(dict(enumerate(streams)))


LOADED = {"a": 50, "b": 28, "c": 22}


@pytest.fixture
def engines() -> Engines:
    return Engines()


def test_a_camera_goes_from_who_is_too_busy_to_who_is_not(engines) -> None:
    engines.work(LASTING + 1, {0: 1.0, 1: 0.4}, {0: LOADED, 1: {"d": 10}})
    assert engines.move({"a", "b", "c"}, {"d"}) == Move(("b",), 0, 1), "half would be too much"
    assert engines.move({"a", "c"}, {"b", "d"}) is None, "what that did is not known yet"
    engines.work(LASTING + 1, {0: 0.7, 1: 0.7}, {0: {"a": 50, "c": 20}, 1: {"b": 30, "d": 10}})
    assert engines.move({"a", "c"}, {"b", "d"}) is None


def test_as_many_go_as_even_it_out(engines) -> None:
    engines.work(LASTING + 1, {0: 1.0, 1: 0.0}, {0: dict.fromkeys("abcdefgh", 10)})
    assert engines.move(set("abcdefgh"), set()) == Move(("a", "b", "c", "d"), 0, 1)


def test_all_of_them_must_have_too_much_to_do_before_one_more_comes(engines) -> None:
    engines.work(LASTING, {0: 1.0, 1: 0.95}, {})
    assert engines.balance.crowded([0, 1])
    assert not engines.balance.crowded([0, 1, 2]), "one has just begun"
    engines.work(1, {0: 1.0, 1: 0.8}, {})
    assert not engines.balance.crowded([0, 1])


def test_one_is_let_go_after_a_long_lull_where_the_others_can_do_its_work(engines) -> None:
    engines.work(LULL - 1, {0: 0.3, 1: 0.2, 2: 0.25}, {})
    assert engines.balance.dispensable([0, 1, 2]) is None, (
        "another one would load its weights again"
    )
    engines.work(1, {0: 0.3, 1: 0.2, 2: 0.25}, {})
    assert engines.balance.dispensable([0, 1, 2]) == 1
    assert engines.balance.dispensable([0]) is None, "somebody has to be there"
    engines.work(1, {0: 0.8, 1: 0.2, 2: 0.25}, {})
    assert engines.balance.dispensable([0, 1, 2]) is None, "for a moment it was needed"


def test_what_is_over_in_a_minute_moves_nothing(engines) -> None:
    engines.work(LASTING, {0: 1.0, 1: 0.4}, {0: LOADED})
    engines.work(1, {0: 0.5, 1: 0.4}, {0: LOADED})
    assert engines.move({"a", "b", "c"}, set()) is None
    engines.work(LASTING - 1, {0: 1.0, 1: 0.4}, {0: LOADED})
    assert engines.move({"a", "b", "c"}, set()) is None
    engines.work(1, {0: 1.0, 1: 0.4}, {0: LOADED})
    assert engines.move({"a", "b", "c"}, set())


@pytest.mark.parametrize(
    ("busy", "frames", "movable"),
    [
        pytest.param((1.0, 0.8), LOADED, {"a", "b", "c"}, id="both have much to do"),
        pytest.param((0.8, 0.1), LOADED, {"a", "b", "c"}, id="nobody is too busy"),
        pytest.param((1.0, 0.1), {"a": 90}, {"a"}, id="the other one would be as busy"),
        pytest.param((1.0, 0.1), LOADED, set(), id="recordings stay"),
        pytest.param((1.0, 0.1), {}, {"a"}, id="cameras without frames are not the reason"),
    ],
)
def test_what_would_not_help_is_left(engines, busy, frames, movable) -> None:
    engines.work(LASTING + 1, dict(enumerate(busy)), {0: frames})
    assert engines.move(movable, set()) is None


def test_one_engine_moves_nothing(engines) -> None:
    engines.work(LASTING + 1, {0: 1.0}, {0: LOADED})
    assert engines.move({"a"}) is None


def test_a_new_engine_in_an_old_place_begins_anew(engines) -> None:
    engines.work(LASTING + 1, {0: 1.0, 1: 0.1}, {0: LOADED})
    engines.balance.forget(0)
    assert engines.move({"a", "b", "c"}, set()) is None


def test_streams_go_to_who_has_least_to_do(engines) -> None:
    assert engines.balance.idlest({0: 3, 1: 2}) == 1, "nothing is known yet"
    engines.work(3, {0: 0.2, 1: 0.6}, {})
    assert engines.balance.idlest({0: 5, 1: 3}) == 0, "it has more of them, and less to do"


def test_many_that_come_at_once_are_shared(engines) -> None:
    engines.work(3, {0: 0.2, 1: 0.6}, {})
    counts = {0: 4, 1: 4}
    for _ in range(8):
        counts[engines.balance.idlest(counts)] += 1
    assert counts == {0: 10, 1: 6}

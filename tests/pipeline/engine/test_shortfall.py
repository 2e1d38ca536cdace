"""What of a stream its operators are not given, and what that costs: nothing."""

from __future__ import annotations

import numpy as np
import pytest

from operators.frames import Features, FrameInfo
from operators.operator import Operator
from operators.result import JSON, Result
from pipeline.engine.placement import Placement
from pipeline.engine.shortfall import Shortfall
from pipeline.engine.suspension import MOST_FAILURES, PAUSE_S
from pipeline.stream.chunk import Frames
from pipeline.stream.ledger import Ledger
from pipeline.stream.sampling import Sampling
from pipeline.stream.spec import StreamSpec

BOTH, FAST_ALONE = 0b11, 0b01  # who takes a frame


class Silent(Operator):
    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, features: Features) -> list[Result]:
        return [Result(info, self.name, JSON, b"0") for info in features.infos]


FAST, SLOW = Silent("fast"), Silent("slow")


def frame(number: int) -> FrameInfo:
    return FrameInfo("gate", "s", str(number), number, 1, number * 200_000, 0, (360, 640))


def run_of(*masks: int, first: int = 0) -> Frames:
    infos = tuple(frame(first + number) for number in range(len(masks)))
    pixels = np.zeros((len(masks), 14, 14, 3), np.uint8)
    return Frames(infos, pixels, masks, {}, arrived_s=tuple(range(len(masks))))


class Scene:
    """A camera with an operator that takes every frame, and one that takes some."""

    def __init__(self, live: bool = True) -> None:
        samplings = (Sampling("fps", 5), Sampling("fps", 1))
        spec = StreamSpec("gate", "x", live=live, session="s", samplings=samplings)
        placements = [
            Placement(one, samplings[rule], rule, {one.name: "v"})
            for rule, one in enumerate((FAST, SLOW))
        ]
        self.ledger = Ledger()
        self.shortfall = Shortfall(spec, placements, self.ledger)

    def given(self, frames: Frames) -> list[str]:
        kept = self.shortfall.given(frames)
        return [] if kept is None else [info.position for info in kept.infos]

    def suspend(self, operator: Operator) -> None:
        for _ in range(MOST_FAILURES):
            self.shortfall.fail(operator, frame(0), RuntimeError("poison"))


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_frames_that_somebody_is_given_stay_and_nothing_is_counted(scene) -> None:
    run = run_of(BOTH, FAST_ALONE, BOTH)
    assert scene.shortfall.given(run) is run
    scene.shortfall.give_up(["slow"])
    assert scene.given(run) == ["0", "1", "2"]
    assert scene.ledger.counts() == {}, "what `slow` alone does not get is counted at its turn"


def test_frames_that_the_operator_that_is_left_does_not_take_go(scene) -> None:
    scene.shortfall.give_up(["fast"])
    assert scene.given(run_of(BOTH, FAST_ALONE, FAST_ALONE, BOTH)) == ["0", "3"]
    assert scene.ledger.counts() == {"fast": {"dropped": 2, "dropped_overload": 2}}
    assert scene.shortfall.dropped == {"overload": 2}
    (told,) = scene.shortfall.take()
    assert (told.dropped, told.cause) == (2, "overload")


def test_frames_that_nobody_is_given_go_each_operators_for_its_own_reason(scene) -> None:
    scene.shortfall.give_up(["fast"])
    scene.suspend(SLOW)
    late = int(PAUSE_S * 5)
    assert scene.given(run_of(BOTH, FAST_ALONE)) == []
    assert scene.given(run_of(BOTH, FAST_ALONE, first=late)) == [str(late)], "one is tried"
    assert scene.ledger.counts() == {
        "fast": {"dropped": 3, "dropped_overload": 3},
        "slow": {"dropped": 1, "dropped_suspended": 1},
    }
    assert scene.shortfall.dropped == {"overload": 3}
    (restored,) = scene.shortfall.succeed(SLOW)
    assert restored.detail == "slow is given frames again; 1 were left out"


def test_a_recordings_frames_stay() -> None:
    scene, run = Scene(live=False), run_of(BOTH)
    scene.suspend(SLOW)
    scene.suspend(FAST)
    assert scene.shortfall.given(run) is run

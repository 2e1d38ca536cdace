"""A batch on a card: what of it is said by itself comes from the same pass. The card is played by
the CPU."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import torch

from operators.batch_operator import BatchOperator
from operators.errors import DinostreamError
from operators.frames import Features, FrameBatch, FrameInfo
from operators.result import JSON, Result
from pipeline.engine.batching import Batch
from pipeline.engine.observer import StageSeconds
from pipeline.engine.step import Engine

ROWS = 4


class Counted(BatchOperator):
    """Says how many rows were computed together, and refuses the frames that it is told to."""

    def __init__(self, name: str, *refused: str, torn: bool = False) -> None:
        self.name = name
        self.together: list[int] = []
        self._refused, self._torn = refused, torn

    def compute(self, features, rows):
        numbers = features.cls[rows]
        self.together.append(len(numbers))
        if self._torn:
            raise RuntimeError("torn")
        return (torch.full((len(numbers),), float(len(numbers))),)

    def say(self, info, *numbers):
        if info.position in self._refused:
            raise DinostreamError(f"{self.name}: not {info.position}")
        (rows,) = numbers
        return [Result(info, self.name, JSON, f"{rows:g}".encode())]


class Card:
    """A backbone whose features lie on a card; batches are padded."""

    batch_size, device, dtype = ROWS, torch.device("cpu"), torch.float32

    def __call__(self, batch):
        cls = torch.zeros(ROWS, 2)
        return Features(batch.infos, cls, cls[:, None, None])


class Lane:
    """Takes what a stream's frames became."""

    def __init__(self) -> None:
        self.said: dict[tuple[str, str], bytes] = {}
        self.buried: set[tuple[str, str]] = set()
        self.shortfall = self

    def gives(self, operator, info, mask):
        return True

    def count_sampled(self, operator, infos):
        return [False] * len(infos)

    def release(self, frames):
        pass

    def take(self, operator, infos, results):
        self.said |= {(operator.name, one.info.position): one.data for one in results}

    def bury(self, operator, info, error):
        self.buried.add((operator.name, info.position))


@pytest.fixture
def step(monkeypatch):
    """Runs three frames of one stream through some operators; what became of them."""
    monkeypatch.setattr(Features, "on_host", property(lambda _: False))

    def run(*operators: BatchOperator) -> Lane:
        infos = tuple(
            FrameInfo("cam", "a", str(n), n, Fraction(1, 5), n, 0, (14, 14)) for n in range(3)
        )
        frames = FrameBatch(infos, np.zeros((3, 14, 14, 3), dtype=np.uint8))
        lane = Lane()
        engine, beside = Engine(Card(), operators), ({"cam": lane}, StageSeconds({}))
        engine.finish(engine.launch(Batch(frames, (1, 1, 1)), *beside), *beside)
        return lane

    return run


def test_batch_mates_of_a_frame_that_fails_say_what_they_would_have_said(step):
    operator = Counted("count", "1")
    lane = step(operator)
    assert lane.buried == {("count", "1")}
    assert lane.said == {("count", "0"): b"4", ("count", "2"): b"4"}
    assert operator.together == [ROWS], "computed once, and at the shape of every batch"


def test_an_operator_that_cannot_compute_harms_no_other(step):
    torn, sound = Counted("torn", torn=True), Counted("sound")
    lane = step(torn, sound)
    assert lane.buried == {("torn", str(number)) for number in range(3)}
    assert set(lane.said.values()) == {b"4"}
    assert {*torn.together, *sound.together} == {ROWS}

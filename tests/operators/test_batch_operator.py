"""What an operator computes of a frame, others have of it without another computation."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
import torch

from operators.backbones.architectures import Architecture
from operators.batch_operator import BatchOperator
from operators.fetch import Fetch
from operators.frames import Features, FrameInfo
from operators.landing import Landing
from operators.result import JSON, Result


class Width(BatchOperator):
    """Says the sum of a class token, and keeps count of the rows that it has computed."""

    name = "width"

    def __init__(self) -> None:
        self.computed_rows = 0

    def compute(self, features, rows):
        self.computed_rows += len(features.infos[rows])
        return (features.cls[rows].sum(dim=-1),)

    def say(self, info, *numbers):
        return [Result(info, self.name, JSON, f"{float(numbers[0]):.3f}".encode())]


class Reader(Width):
    """Says what another one says."""

    name = "reader"

    def __init__(self, other: Width) -> None:
        super().__init__()
        self._other = other

    def compute(self, features, rows):
        return self._other.shared(features, rows)


@pytest.fixture
def seen(
    tiny: Architecture, features_of: Callable[..., Features], frame: Callable[..., FrameInfo]
) -> Features:
    return features_of([frame(number) for number in range(3)], tiny)


def values(results: Sequence[Result]) -> list[bytes]:
    return [one.data for one in results]


def test_a_batch_is_computed_once_however_many_ask(seen: Features) -> None:
    width = Width()
    said = values(width(seen))
    assert values(Reader(width)(seen)) == said
    assert width.computed_rows == 3


@pytest.mark.parametrize("rows", [[1], [0, 2], [2, 1]])
def test_another_that_takes_fewer_frames_has_theirs(seen: Features, rows: list[int]) -> None:
    width = Width()
    said = values(width(seen))
    assert values(Reader(width)(seen.take(rows))) == [said[row] for row in rows]
    assert width.computed_rows == 3


def test_who_asks_first_pays(seen: Features) -> None:
    width = Width()
    first = values(Reader(width)(seen.take([1])))
    assert width.computed_rows == 1
    assert values(width(seen))[1:2] == first
    assert width.computed_rows == 3


def test_what_fails_fails_for_both(seen: Features) -> None:
    class Torn(Width):
        def compute(self, features, rows):
            raise RuntimeError("torn")

    torn = Torn()
    for one in (torn, Reader(torn)):
        with pytest.raises(RuntimeError, match="torn"):
            one(seen)


class Weighed(Landing):
    """Keeps count of the bytes that come."""

    brought_bytes = 0

    def bring(self, on_device):
        self.brought_bytes += on_device.numel()
        return super().bring(on_device)


def test_on_a_card_it_is_computed_and_comes_once_for_all_rows(seen: Features) -> None:
    width = Width()
    reader = Reader(width)
    landing = Weighed(seen.cls.device)
    fetch = Fetch(seen, [reader, width], landing)
    fetch.wait()
    assert landing.brought_bytes == 4 * len(seen.cls)
    assert values(fetch.say(reader, [0, 2])) == values(fetch.say(width, [0, 2]))
    assert width.computed_rows == 3
    assert torch.isnan(seen.cls[3:]).all()  # the rows of padding were there

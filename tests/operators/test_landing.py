"""Bytes of a card land in memory that nobody reads any more, on a stream of their own.

No card is needed: streams and events that write down what they are asked for play it.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode

from operators.landing import KEPT, Landing

CUDA = torch.device("cuda", 0)


class Journal(list[str]):
    """What streams of a card that is not there are asked for."""


class Stream:
    def __init__(self, journal: Journal, name: str) -> None:
        self._journal = journal
        self.name = name

    def wait_stream(self, other: Stream) -> None:
        self._journal.append(f"{self.name} follows {other.name}")

    def record_event(self) -> Stream:
        self._journal.append(f"event on {self.name}")
        return self

    def synchronize(self) -> None:
        self._journal.append(f"wait for event on {self.name}")


@pytest.fixture
def journal(monkeypatch: pytest.MonkeyPatch) -> Journal:
    told = Journal()

    @contextmanager
    def within(stream: Stream) -> Any:
        told.append(f"copy on {stream.name}")
        yield

    monkeypatch.setattr(torch.cuda, "Stream", lambda device: Stream(told, "the copies'"))
    monkeypatch.setattr(torch.cuda, "current_stream", lambda device: Stream(told, "the products'"))
    monkeypatch.setattr(torch.cuda, "stream", within)
    return told


def test_a_copy_follows_what_is_computed_and_is_waited_for_alone(journal: Journal) -> None:
    with FakeTensorMode():
        copy = Landing(CUDA).bring(torch.empty(64, dtype=torch.uint8, device=CUDA))
    launched = [
        "the copies' follows the products'",
        "copy on the copies'",
        "event on the copies'",
    ]
    assert journal == launched
    copy.wait()
    assert journal == [*launched, "wait for event on the copies'"]


@pytest.fixture
def bring() -> Callable[..., Any]:
    landing = Landing(torch.device("cpu"))

    def brought(value: int, size_bytes: int = 8) -> Any:
        return landing, landing.bring(torch.full((size_bytes,), value, dtype=torch.uint8))

    return brought


def test_no_byte_is_overwritten_before_it_is_given_back(bring: Callable[..., Any]) -> None:
    copies = [bring(value)[1] for value in range(4)]
    assert [copy.on_host.tolist() for copy in copies] == [[value] * 8 for value in range(4)]


def test_two_pieces_do_for_one_batch_behind_another(bring: Callable[..., Any]) -> None:
    landing, before = bring(0)
    pieces = {before.piece.data_ptr()}
    for value in range(1, 9):
        _, copy = bring(value, 8 - value % 2)
        pieces.add(copy.piece.data_ptr())
        assert before.on_host.tolist() == [value - 1] * len(before.on_host)
        landing.give_back(before)
        before = copy
    assert len(pieces) == KEPT


def test_a_piece_that_is_too_small_is_not_used(bring: Callable[..., Any]) -> None:
    landing, small = bring(1, 4)
    landing.give_back(small)
    assert bring(2, 16)[1].on_host.tolist() == [2] * 16

"""Frames arrive whole, and no buffer is written while somebody may read it."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from operators.backbones.engines.staging import Staging
from tests.operators.backbones.engines.cuda_journal import CudaJournal


@pytest.fixture
def journal(monkeypatch: pytest.MonkeyPatch) -> CudaJournal:
    journal = CudaJournal()
    journal.install(monkeypatch)
    return journal


def frames(count: int, side: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, side, side, 3), dtype=np.uint8)


def test_frames_come_as_they_are_and_rows_beyond_them_stay(journal: CudaJournal) -> None:
    staging, into = Staging(torch.device("cpu")), torch.full((4, 28, 28, 3), 9, dtype=torch.uint8)
    for seed, count in enumerate((4, 1, 3, 2)):
        before, sent = into.clone(), frames(count, 28, seed)
        staging(sent, into)
        assert np.array_equal(into[:count].numpy(), sent)
        assert torch.equal(into[count:], before[count:])


def test_buffers_take_turns_and_wait_for_who_reads_them(journal: CudaJournal) -> None:
    staging, into = Staging(torch.device("cpu")), torch.zeros(2, 14, 14, 3, dtype=torch.uint8)
    for seed in range(3):
        staging(frames(2, 14, seed), into)
    copied, read = "event 1", "event 2"  # of the first buffer
    turn = [
        f"host waits for {copied}",  # its last copy is through, so it may be filled
        f"copies waits for {read}",  # and what it held on the device was taken
        f"copies records {copied}",
        f"compute waits for {copied}",
        f"compute records {read}",
    ]
    growing = [turn[0], f"host waits for {read}", *turn[1:]]
    assert [one for one in journal.told if one.endswith(("1", "2"))] == growing + turn


def test_larger_frames_get_larger_buffers(journal: CudaJournal) -> None:
    staging = Staging(torch.device("cpu"))
    for side in (14, 700, 14):
        into, sent = torch.zeros(2, side, side, 3, dtype=torch.uint8), frames(2, side, side)
        staging(sent, into)
        assert np.array_equal(into.numpy(), sent)


def test_device_memory_comes_from_the_stream_that_writes_it(
    journal: CudaJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What another stream gave back may still be written by what runs there."""
    staging, empty = Staging(torch.device("cpu")), torch.empty
    places: list[str] = []

    def noted(*args, **options):
        if "device" in options:
            places.append(journal.current.name)
        return empty(*args, **options)

    monkeypatch.setattr(torch, "empty", noted)
    staging(frames(2, 14, 0), torch.zeros(2, 14, 14, 3, dtype=torch.uint8))
    assert places == ["copies"]

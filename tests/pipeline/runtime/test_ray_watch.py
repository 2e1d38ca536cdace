"""Busy is not lost, silent is: a real actor, a real SIGSTOP, a clock set by hand."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import ray
from ray.actor import ActorHandle

from pipeline.runtime.ray_watch import Beat, Lost, Patience, Pulse, answer, is_lost
from pipeline.testing import ManualClock

PATIENCE = Patience(start_s=300, silence_s=30)


class Worker:
    """Works until a file is there; its heart beats beside that."""

    def __init__(self) -> None:
        self._works = False

    def work(self, until: Path) -> str:
        self._works = True
        while not until.exists():
            time.sleep(0.02)
        return "done"

    @ray.method(concurrency_group="beside")
    def beat(self) -> Beat[int]:
        return Beat(os.getpid() if self._works else None)


@pytest.fixture
def worker(connected) -> Iterator[ActorHandle]:
    worker = connected.here(Worker, concurrency_groups={"beside": 1}).remote()
    yield worker
    ray.kill(worker)


@pytest.mark.slow
def test_silent_is_who_does_not_answer_beside_its_work(worker, processes, tmp_path) -> None:
    clock = ManualClock()
    pulse: Pulse[int] = Pulse(worker.beat.remote, PATIENCE, clock)
    call = worker.work.remote(tmp_path / "end")
    pid = processes.wait_until(pulse.take)
    for _ in range(3):
        clock.advance(1000)
        assert processes.wait_until(pulse.take) == pid, "it works for long, and says so"
        assert pulse.silent_s == 0
    processes.stop(pid)
    pulse.take()
    clock.advance(PATIENCE.silence_s)
    assert pulse.take() is None
    assert pulse.silent_s == PATIENCE.silence_s
    clock.advance(1)
    with pytest.raises(Lost, match="no sign of life for 30 s"):
        pulse.take()
    processes.go_on(pid)
    clock.advance(-PATIENCE.silence_s)  # its answer takes a moment
    assert processes.wait_until(pulse.take) == pid
    (tmp_path / "end").touch()
    assert answer(call, pulse) == "done"


@pytest.mark.slow
def test_before_it_works_it_may_be_silent_for_longer(worker, processes) -> None:
    clock = ManualClock()
    pulse: Pulse[int] = Pulse(worker.beat.remote, PATIENCE, clock)
    pulse.take()
    clock.advance(PATIENCE.start_s)
    processes.wait_until(lambda: pulse.take() or pulse.heard)
    ray.kill(worker)

    def gone() -> bool:
        try:
            pulse.take()
        except Exception as error:
            return is_lost(error)
        return False

    assert processes.wait_until(gone), "and then it is dead, which needs no patience"

"""Frames side by side: order, errors, and that every thread computes alone."""

from __future__ import annotations

import threading

import pytest
import torch

from operators.backbones.thread_pool import ThreadPool


@pytest.fixture
def pool():
    pool = ThreadPool(3)
    yield pool
    pool.close()


def test_results_come_in_the_order_of_the_rows(pool):
    first_may_end = threading.Event()

    def work(row: int) -> int:
        if row == 2:
            first_may_end.set()
        elif row == 0:
            assert first_may_end.wait(10)
        return row * row

    assert pool.map(work, range(3)) == [0, 1, 4]


def test_rows_are_worked_on_at_the_same_time(pool):
    together = threading.Barrier(3, timeout=10)

    pool.map(lambda _: together.wait(), range(3))


def test_torch_uses_one_core_in_every_thread(pool):
    together = threading.Barrier(3, timeout=10)

    def threads(_: int) -> int:
        together.wait()
        return torch.get_num_threads()

    assert pool.map(threads, range(3)) == [1, 1, 1]


def test_the_first_error_comes_out_and_the_pool_goes_on(pool):
    def work(row: int) -> float:
        return 1 / (row - 1)

    with pytest.raises(ZeroDivisionError):
        pool.map(work, range(3))
    assert pool.map(lambda row: row, range(2)) == [0, 1]


def test_an_error_comes_out_when_no_row_is_at_work_any_more(pool):
    failed, ended = threading.Event(), []

    def work(row: int) -> None:
        if row == 0:
            failed.set()
            raise ValueError("row 0")
        assert failed.wait(10)
        torch.randn(300, 300).matmul(torch.randn(300, 300))
        ended.append(row)

    with pytest.raises(ValueError, match="row 0"):
        pool.map(work, range(6))
    assert sorted(ended) == [1, 2, 3, 4, 5]

"""A process that nobody speaks to ends; one that hears late does not."""

from __future__ import annotations

import threading

from pipeline.runtime.lease import Lease


def test_nobody_speaks() -> None:
    ended = threading.Event()
    lease = Lease(0.05, grace_s=0.05, end=ended.set)
    lease.renew()
    assert ended.wait(60)


def test_what_was_said_while_it_was_away_counts() -> None:
    ended = threading.Event()
    lease = Lease(0.01, grace_s=600, end=ended.set)
    for _ in range(5):
        assert not ended.wait(0.05), "late by far, and within the grace"
        lease.renew()
    assert not ended.is_set()

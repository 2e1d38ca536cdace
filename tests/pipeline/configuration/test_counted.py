"""A long list is told now and then, and is the same list."""

from __future__ import annotations

from itertools import count

import pytest

from pipeline.configuration.counted import counted


def test_every_five_seconds_a_line_says_how_far_it_is(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    seconds = count()
    assert list(counted("reading", range(12), lambda: next(seconds))) == list(range(12))
    told = [record.getMessage() for record in caplog.records]
    assert told == ["reading: 5 files so far", "reading: 10 files so far"]

"""The root of the error tree: what errors carry, and that they survive a process border."""

from __future__ import annotations

import pickle

import pytest

from operators.errors import DinostreamError, UsageError, WeightsError


def test_an_error_says_where_it_happened_and_whether_to_try_again():
    error = DinostreamError("decoder hung", stream="cam1", stage="decode", retryable=True)

    assert str(error) == "decoder hung"
    assert (error.stream, error.stage, error.retryable) == ("cam1", "decode", True)


def test_weights_errors_are_usage_errors_that_no_retry_helps():
    error = WeightsError("no such file")

    assert isinstance(error, UsageError)
    assert (error.stream, error.stage, error.retryable) == (None, None, False)


@pytest.mark.parametrize("kind", [DinostreamError, UsageError, WeightsError])
def test_an_error_comes_back_whole_from_another_process(kind):
    error = kind("broken", stream="cam1", stage="commit", retryable=True)

    again = pickle.loads(pickle.dumps(error))

    assert type(again) is kind
    assert str(again) == "broken"
    assert vars(again) == vars(error)

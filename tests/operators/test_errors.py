"""The root of the error tree: what errors carry, and that they survive a process border."""

from __future__ import annotations

import pickle

import pytest

from operators.errors import Absent, DinostreamError, UsageError, WeightsError


def test_an_error_says_whether_to_try_again():
    error = DinostreamError("decoder hung", retryable=True)

    assert str(error) == "decoder hung"
    assert error.retryable


def test_weights_errors_are_usage_errors_that_no_retry_helps():
    error = WeightsError("no such file")

    assert isinstance(error, UsageError)
    assert not error.retryable


@pytest.mark.parametrize("kind", [DinostreamError, UsageError, WeightsError])
def test_an_error_comes_back_whole_from_another_process(kind):
    error = kind("broken", retryable=True)

    again = pickle.loads(pickle.dumps(error))

    assert type(again) is kind
    assert str(again) == "broken"
    assert vars(again) == vars(error)


def test_so_does_one_whose_constructor_takes_something_else():
    error = Absent("track reads", "detect", leave="track")

    again = pickle.loads(pickle.dumps(error))

    assert type(again) is Absent
    assert str(again) == str(error)
    assert (again.need, again.operator, again.retryable) == ("track reads detect", "detect", False)

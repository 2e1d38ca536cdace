"""A right that is taken away in mid-run, by a real broker that has an authorizer."""

from __future__ import annotations

import pytest

from benchmarks.broker_trial.single import ACLS, denied
from benchmarks.broker_trial.writer import Writer
from pipeline.errors import SinkError

pytestmark = pytest.mark.needs_kafka


def test_who_may_not_write_any_more_is_told_at_once_and_goes_on_once_he_may(own_broker):
    own_broker.start(*ACLS)
    writer = Writer(own_broker.server, {"attempt_s": 20})
    writer.step()
    with denied(own_broker):
        with pytest.raises(SinkError, match=r"was refused.*TopicAuthorizationFailed") as caught:
            writer.step()
        assert not caught.value.retryable
    writer.claim()
    writer.step()
    writer.sink.close()
    assert [figure.value for figure in writer.verdict()] == [0, 0, 0]
    assert writer.written == 2

"""Which errors of the Kafka client mean that another attempt ends in the same way."""

from __future__ import annotations

import pytest
from kafka import errors

from pipeline.sinks.kafka.deadline import Stalled
from pipeline.sinks.kafka.refused import described, hopeless, telling

LOST = "Unexpected error in InitProducerIdResponse: [Error 31] "


@pytest.mark.parametrize(
    "error",
    [
        errors.TopicAuthorizationFailedError(),
        errors.KafkaError(f"{LOST}ClusterAuthorizationFailedError"),
        errors.KafkaError(f"{LOST}TransactionalIdAuthorizationFailedError"),
        errors.KafkaError(f"{LOST}InvalidTransactionTimeoutError"),
        errors.KafkaError(errors.TopicAuthorizationFailedError()),
        errors.KafkaConnectionError("Handshake failed: [SSL: CERTIFICATE_VERIFY_FAILED] expired"),
        errors.InvalidReceiveError("Invalid frame length: 352518912"),
    ],
)
def test_what_is_not_allowed_is_not_tried_again(error):
    assert hopeless(error)
    outer = errors.KafkaTimeoutError("no time left")
    outer.__cause__ = error
    assert hopeless(outer), "wrapped"


@pytest.mark.parametrize(
    "error",
    [
        errors.KafkaTimeoutError("no answer"),
        errors.NotLeaderForPartitionError(),
        errors.InvalidTimestampError("a clock that is set right is right again"),
    ],
)
def test_what_may_pass_is(error):
    assert not hopeless(error)


def test_a_reason_tells_more_than_that_time_is_up():
    said = [
        telling(error)
        for error in (
            Stalled("no answer within 0.1 s"),
            errors.KafkaTimeoutError("Unable to bootstrap"),
            errors.NotLeaderForPartitionError(),
            errors.KafkaConnectionError("111 ECONNREFUSED"),
            errors.SaslAuthenticationFailedError("no"),
        )
    ]
    assert said == [0, 0, 1, 1, 2]


def test_errors_are_named_once():
    assert described(errors.KafkaConnectionError("gone")) == "KafkaConnectionError: gone"
    assert described(Stalled("late")) == "Stalled: late"
    assert described(ValueError()) == "ValueError"

"""Which errors of the Kafka client mean that another attempt ends in the same way."""

from __future__ import annotations

import pytest
from kafka import errors

from pipeline.sinks.kafka.errors import hopeless

LOST = "Unexpected error in InitProducerIdResponse: [Error 31] "


@pytest.mark.parametrize(
    "error",
    [
        errors.TopicAuthorizationFailedError(),
        errors.KafkaError(f"{LOST}ClusterAuthorizationFailedError"),
        errors.KafkaError(f"{LOST}TransactionalIdAuthorizationFailedError"),
        errors.KafkaError(f"{LOST}InvalidTransactionTimeoutError"),
    ],
)
def test_what_is_not_allowed_is_not_tried_again(error):
    assert hopeless(error)


@pytest.mark.parametrize(
    "error", [errors.KafkaTimeoutError("no answer"), errors.NotLeaderForPartitionError()]
)
def test_what_may_pass_is(error):
    assert not hopeless(error)

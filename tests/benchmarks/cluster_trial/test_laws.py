"""The laws of records, held against sinks that break each of them."""

from dataclasses import replace

import pytest

from benchmarks.cluster_trial.deliveries import EVENTS, Delivery
from benchmarks.cluster_trial.laws import broken


def record(position, *, session="s1", epoch=1, payload="a", topic="embedding", variant="v"):
    identity = f"{topic}/gate/{session}/{position}/{variant}"
    return Delivery(topic, "gate", identity, session, epoch, payload, None, 0.0)


def event(kind, *, session="s1", epoch=1):
    identity = f"events/gate/{session}/0.{kind}/job"
    return Delivery(EVENTS, "gate", identity, session, epoch, kind, {"kind": kind}, 0.0)


STARTED = event("started")
AGAIN = event("started", session="s2")


@pytest.mark.parametrize(
    "deliveries",
    [
        [STARTED, record(1), record(2)],
        [STARTED, record(1), record(1, topic="depth")],
        [STARTED, record(1), event("crashed"), AGAIN, record(1, session="s2")],
        [STARTED, record(1), replace(AGAIN, epoch=2), record(1, session="s2", epoch=2)],
    ],
    ids=["frames", "operators", "a session for a reason", "a session of a new epoch"],
)
def test_a_sink_that_keeps_the_laws(deliveries):
    assert broken(deliveries) == []


@pytest.mark.parametrize(
    ("deliveries", "breach"),
    [
        ([STARTED, record(1), record(1, variant="w")], "embedding/gate/s1/1 is there twice"),
        ([STARTED, record(1), record(1)], "embedding/gate/s1/1 is there twice"),
        (
            [STARTED, record(1, epoch=2), record(2)],
            "embedding/gate/s1/2/v of epoch 1 lies behind epoch 2",
        ),
        ([STARTED, record(1), AGAIN], "gate: nothing tells why session s2 began"),
        ([STARTED, event("crashed"), AGAIN, AGAIN], "gate: nothing tells why session s2 began"),
        ([STARTED, record(1, session="s0")], "gate: no event tells that session s0 began"),
    ],
)
def test_a_breach_is_told(deliveries, breach):
    assert broken(deliveries) == [breach]


def test_one_id_with_two_payloads_is_told_beside_its_position():
    breaches = broken([STARTED, record(1), record(1, payload="b")])
    assert breaches[0] == "embedding/gate/s1/1/v has two payloads"

"""Verdicts over what a sink holds, each of which finds what it is for."""

from dataclasses import replace

import pytest

from benchmarks.broker_trial import verdict
from benchmarks.cluster_trial.deliveries import EVENTS, Delivery

EXPECTED = {f"embedding/clip/s/{number}/v": f"payload {number}" for number in range(3)}
RECORDS = [
    Delivery("embedding", "clip", id, "s", 1, payload, None, 0.0)
    for id, payload in EXPECTED.items()
]
LEDGER = {"embedding": {"sampled": 3, "published": 3, "dropped": 2}}


def values(figures):
    return {figure.what: figure.value for figure in figures}


@pytest.mark.parametrize(
    ("found", "broken"),
    [
        (RECORDS, {}),
        (RECORDS[:2], {"replay: lost": 1, "replay: out of order": 1}),
        ([*RECORDS, RECORDS[2]], {"replay: doubled": 1, "replay: out of order": 1}),
        (RECORDS[::-1], {"replay: out of order": 1}),
        ([*RECORDS[:2], replace(RECORDS[2], payload="x")], {"replay: altered or invented": 1}),
    ],
    ids=["all there", "lost", "doubled", "order", "altered"],
)
def test_a_recording(found, broken):
    told = values(verdict.of_replay(found, "embedding", EXPECTED))
    assert {what: value for what, value in told.items() if value} == broken


def event(kind, **facts):
    identity = f"events/clip/s/0.{kind}/job"
    return Delivery(EVENTS, "clip", identity, "s", 1, kind, {"kind": kind, **facts}, 0.0)


STARTED, ENDED = event("started"), event("ended", operators=LEDGER)
DROPPED = event("dropped", dropped=2)


@pytest.mark.parametrize(
    ("found", "broken"),
    [
        ([STARTED, *RECORDS, DROPPED, ENDED], {}),
        ([STARTED, *RECORDS, ENDED], {"live: dropped and not told by an event": 2}),
        (
            [STARTED, *RECORDS[:2], DROPPED, ENDED],
            {"live: lost, or unknown to the ledger": 2},
        ),
        ([*RECORDS, DROPPED, ENDED], {"live: laws broken": 1}),
    ],
    ids=["all told", "untold", "lost", "without a beginning"],
)
def test_a_camera(found, broken):
    told = values(verdict.of_camera(found, "embedding"))
    assert {what: value for what, value in told.items() if value} == broken


def test_two_readers_that_saw_the_same_or_not():
    assert verdict.unlike(RECORDS, RECORDS) == 0
    assert verdict.unlike(RECORDS, RECORDS[:2]) == 1

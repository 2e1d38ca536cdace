"""What errors of a broker, one by one, do to records that are appended: on a mock cluster.

Appending is what is done there, without transactions; a record may come twice under its id.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from unittest.mock import patch

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from kafka.net.manager import KafkaConnectionManager

from benchmarks.broker_trial.mock import DROPPED, PRODUCE, MockCluster
from benchmarks.broker_trial.writer import PREFIX, TOPIC, committed
from benchmarks.cluster_trial.figure import Figure
from pipeline.records.record import Message
from pipeline.sinks.address import parse_sink_uri
from pipeline.sinks.kafka.errors import explaining
from pipeline.sinks.kafka.producer import append
from pipeline.sinks.kafka.settings import KafkaSettings
from pipeline.sinks.patient import PatientSink
from pipeline.sinks.sink import Receipt

CODES = {
    DROPPED: "connection dropped",
    2: "CORRUPT_MESSAGE",
    3: "UNKNOWN_TOPIC_OR_PARTITION",
    5: "LEADER_NOT_AVAILABLE",
    6: "NOT_LEADER_OR_FOLLOWER",
    7: "REQUEST_TIMED_OUT",
    13: "NETWORK_EXCEPTION",
    19: "NOT_ENOUGH_REPLICAS",
    20: "NOT_ENOUGH_REPLICAS_AFTER_APPEND",
    45: "OUT_OF_ORDER_SEQUENCE_NUMBER",
    47: "INVALID_PRODUCER_EPOCH",
    59: "UNKNOWN_PRODUCER_ID",
}
TIMES = (1, 3, 500)
FORGIVEN_S = 15.0  # after which the broker answers well again, however many errors are left
DOWN_S = 30.0
SLOW_MS = 300
MOVES = 20
ATTEMPT_S = 5.0
GOAL_S = 5.0
MOCK_VERSION = (2, 3)  # what kafka-python has to take it for


class Appender:
    """Numbers that are appended through a patient sink, and the mock that they go to."""

    def __init__(self, mock: MockCluster) -> None:
        self.mock = mock
        self.topic = f"{PREFIX}.{TOPIC}"
        mock.topic(self.topic, 1)
        address = parse_sink_uri(f"kafka://{mock.servers}?topic_prefix={PREFIX}")
        self._settings = KafkaSettings.of(address, {"attempt_s": ATTEMPT_S})
        self._patient = PatientSink(self)  # type: ignore[arg-type]  # it only publishes
        self.written = 0

    def publish(self, messages: Sequence[Message]) -> Receipt:
        """One attempt."""
        with explaining(self._settings, "publishing", ATTEMPT_S) as deadline:
            append(self._settings, messages, deadline)
        return Receipt(written=len(messages))

    def step_s(self) -> float:
        """Append the next number, as often as it takes; seconds that it took."""
        number, began_s = self.written + 1, time.monotonic()
        self._patient.publish([Message(TOPIC, TOPIC, {"ce_id": str(number)}, b"x")])
        self.written = number
        return time.monotonic() - began_s

    def verdict(self) -> Iterator[Figure]:
        """What is there: all at least once, in the order of their first times, and none else."""
        found = committed(self.mock.servers)
        why = f"{self.written} written, {len(found) - len(set(found))} of them twice"
        expected = [*range(1, self.written + 1)]
        yield Figure("lost", len(set(expected) - set(found)), "records", 0, why)
        yield Figure("out of order or invented", int([*dict.fromkeys(found)] != expected), "", 0)


@contextmanager
def appending() -> Iterator[Appender]:
    """An appender and its mock; kafka-python takes it for what it is meanwhile."""
    clients = (KafkaProducer, KafkaConsumer, KafkaAdminClient, KafkaConnectionManager)
    with ExitStack() as stack:
        mock = stack.enter_context(MockCluster())
        for client in clients:
            stack.enter_context(patch.dict(client.DEFAULT_CONFIG, api_version=MOCK_VERSION))
        yield Appender(mock)


def mock_codes(appender: Appender) -> Iterator[Figure]:
    """Twelve errors, each once, three times and five hundred times."""
    for code, name in CODES.items():
        took_s = [failing_s(appender, code, times) for times in TIMES]
        told = " / ".join(f"{one:.1f}" for one in took_s)
        goal_s = FORGIVEN_S + GOAL_S
        yield Figure(f"{name} x {TIMES}: slowest append", max(took_s), "s", goal_s, told)


def mock_slow(appender: Appender) -> Iterator[Figure]:
    """Every answer is late."""
    appender.mock.delay(SLOW_MS)
    yield Figure(f"answers {SLOW_MS} ms late: append", appender.step_s(), "s", GOAL_S)
    appender.mock.delay(0)


def mock_leaders(appender: Appender) -> Iterator[Figure]:
    """The leader of the partition moves twenty times."""
    took_s = []
    for number in range(MOVES):
        appender.mock.lead(appender.topic, 0, number % len(appender.mock.brokers) + 1)
        took_s.append(appender.step_s())
    yield Figure(f"leader moved {MOVES} times: slowest append", max(took_s), "s", GOAL_S)


def mock_down(appender: Appender) -> Iterator[Figure]:
    """All brokers are down for half a minute."""
    appender.mock.down()
    threading.Timer(DOWN_S, appender.mock.up).start()
    away_s = appender.step_s() - DOWN_S
    yield Figure(f"all down for {DOWN_S:.0f} s: append after their return", away_s, "s", GOAL_S)


def failing_s(appender: Appender, code: int, times: int) -> float:
    """Append while the broker answers with an error so many times; seconds."""
    appender.mock.fail(PRODUCE, code, times)
    forgiven = threading.Timer(FORGIVEN_S, appender.mock.forgive, [PRODUCE])
    forgiven.start()
    took_s = appender.step_s()
    forgiven.cancel()
    appender.mock.forgive(PRODUCE)
    return took_s


def run(trial: str, folder: Path, port: int) -> Iterator[Figure]:
    """One trial; arguments as of `three.run`, none of which a mock needs."""
    with appending() as appender:
        appender.step_s()
        yield from TRIALS[trial](appender)
        appender.step_s()
        yield from appender.verdict()


TRIALS: dict[str, Callable[[Appender], Iterator[Figure]]] = {
    "mock-codes": mock_codes,
    "mock-slow": mock_slow,
    "mock-leaders": mock_leaders,
    "mock-down": mock_down,
}

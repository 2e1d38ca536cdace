"""Following a broker that freezes: nothing is lost, and it is told."""

from __future__ import annotations

import logging
import threading

import pytest

from pipeline.errors import SinkError
from pipeline.sinks.kafka import reading as kafka_reading
from pipeline.sinks.kafka.absence import Absence
from pipeline.sinks.reading import Plan
from pipeline.sinks.uri import open_reader, open_sink

QUICK = {"attempt_s": 1}


@pytest.mark.needs_kafka
def test_who_follows_goes_on_behind_an_outage(mortal_broker, build, monkeypatch, caplog):
    monkeypatch.setattr(kafka_reading, "NEW_TOPICS_S", 0.1)
    sink = open_sink(mortal_broker.uri)
    sink.publish([build.message(1)])
    followers = [Follower(mortal_broker.uri, group) for group in (None, "alarms")]
    for follower in followers:
        follower.wait(b'{"number":1}')
    told = Told()
    logging.getLogger("pipeline.sinks.kafka.absence").addHandler(told)
    mortal_broker.freeze()
    assert told.away.acquire(timeout=60)
    assert told.away.acquire(timeout=60)
    mortal_broker.go_on()
    sink.publish([build.message(2)])
    sink.close()
    for follower in followers:
        follower.wait(b'{"number":1}', b'{"number":2}')
        follower.stop()
    logging.getLogger("pipeline.sinks.kafka.absence").removeHandler(told)
    assert f"{mortal_broker.uri} is away; retrying: " in caplog.text


class Told(logging.Handler):
    """Counts how often it was told that the broker is away."""

    def __init__(self) -> None:
        super().__init__()
        self.away = threading.Semaphore(0)

    def emit(self, record: logging.LogRecord) -> None:
        if "is away" in record.getMessage():
            self.away.release()


class Follower:
    """A thread that keeps the values that it reads."""

    def __init__(self, uri: str, group: str | None) -> None:
        self.reading = open_reader(uri, settings=QUICK).read(
            Plan(("action",), group=group, follow=True)
        )
        self.values: list[bytes] = []
        self.news = threading.Condition()
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def read(self) -> None:
        for record in self.reading:
            self.reading.done(record)
            with self.news:
                self.values.append(record.message.value)
                self.news.notify()

    def wait(self, *values: bytes) -> None:
        with self.news:
            assert self.news.wait_for(lambda: self.values == [*values], timeout=60), self.values

    def stop(self) -> None:
        self.reading.interrupt()
        self.thread.join()
        self.reading.close()


def test_an_absence_is_told_once_until_it_is_over(caplog):
    absence = Absence("kafka://broker:9092", Impatient())

    def away():
        raise SinkError("no answer", retryable=True)

    assert absence.bear(away, proof=bool) is None
    assert absence.bear(away, proof=bool) is None
    assert absence.bear(lambda: [], proof=bool) == [], "no news is no sign of the broker"
    assert absence.bear(away, proof=bool) is None
    assert absence.bear(lambda: [1], proof=bool) == [1]
    assert absence.bear(lambda: [1], proof=bool) == [1]
    assert [record.getMessage() for record in caplog.records] == [
        "kafka://broker:9092 is away; retrying: no answer",
        "kafka://broker:9092 is back after 0 s",
    ]


def test_what_another_attempt_would_not_change_is_raised(caplog):
    def refused():
        raise SinkError("the login is refused")

    with pytest.raises(SinkError, match="login"):
        Absence("kafka://broker:9092", Impatient()).bear(refused, proof=bool)
    assert caplog.records == []


class Impatient(threading.Event):
    """Not set, and nobody waits for it."""

    def wait(self, timeout: float | None = None) -> bool:
        return False

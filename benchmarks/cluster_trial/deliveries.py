"""What a trial's sink holds, as a plain consumer of Kafka sees it: every committed record, in the
order of its partition, with the moment it could first be read."""

from __future__ import annotations

import hashlib
import json
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from kafka import KafkaConsumer

POLL_MS = 50
QUIET_S = 3.0  # a broker that has said nothing new for so long has said all
OURS = ("progress", "claims", "labels")  # no records of streams
EVENTS = "events"


@dataclass(frozen=True, slots=True)
class Delivery:
    """One record.

    Attributes:
        topic: without the prefix.
        payload: a digest of its value.
        event: what it says, of an event.
        seen_s: when it could be read, seconds of the monotonic clock.
    """

    topic: str
    stream: str
    id: str
    session: str
    epoch: int
    payload: str
    event: dict[str, Any] | None
    seen_s: float

    @property
    def position(self) -> str:
        """Of an operator's record, as its id has it."""
        return self.id.split("/")[3]


class Deliveries:
    """Follows one prefix of one broker in a thread of its own.

    Attributes:
        all: in the order of their partitions; one that is there stays as it is.
    """

    def __init__(self, server: str, prefix: str) -> None:
        logging.getLogger("kafka").setLevel(logging.CRITICAL)
        self.all: list[Delivery] = []
        self._prefix = f"{prefix}."
        self._over = threading.Event()
        self._consumer = KafkaConsumer(
            bootstrap_servers=server,
            isolation_level="read_committed",
            auto_offset_reset="earliest",
            enable_auto_commit=False,
            metadata_max_age_ms=500,  # topics are made while it follows
        )
        self._consumer.subscribe(pattern=f"^{prefix}\\..*")
        self._thread = threading.Thread(target=self._follow, name="deliveries")
        self._thread.start()

    def newest(self) -> dict[str, Delivery]:
        """Stream -> its newest record of an operator."""
        return {one.stream: one for one in self.all if one.topic != EVENTS}

    def events(self, kind: str, since_s: float = 0.0) -> list[Delivery]:
        """Events of one kind that were seen since a moment."""
        return [one for one in self.all if one.seen_s >= since_s and told(one) == kind]

    def finish(self) -> list[Delivery]:
        """All, once nothing is written any more; nothing is followed from then on."""
        wait_until(lambda: time.monotonic() - self._last_s() > QUIET_S, "a sink at rest")
        self.close()
        return self.all

    def close(self) -> None:
        self._over.set()
        self._thread.join()
        self._consumer.close()

    def _last_s(self) -> float:
        return self.all[-1].seen_s if self.all else 0.0

    def _follow(self) -> None:
        while not self._over.is_set():
            for records in self._consumer.poll(timeout_ms=POLL_MS).values():
                self.all += [one for one in map(self._delivery, records) if one.topic not in OURS]

    def _delivery(self, record: Any) -> Delivery:
        headers = {name.removeprefix("ce_"): value.decode() for name, value in record.headers}
        topic = record.topic.removeprefix(self._prefix)
        return Delivery(
            topic,
            record.key.decode(),
            headers.get("id", ""),
            headers.get("session", ""),
            int(headers.get("epoch", 0)),
            hashlib.sha256(record.value or b"").hexdigest(),
            json.loads(record.value) if topic == EVENTS else None,
            time.monotonic(),
        )


def told(one: Delivery) -> str:
    """Kind of an event; nothing of another record."""
    return one.event["kind"] if one.event else ""


def wait_until(fact: Callable[[], Any], what: str, within_s: float = 240.0) -> Any:
    """The first truthy value of a fact.

    Raises:
        TimeoutError: there is none in time.
    """
    deadline_s = time.monotonic() + within_s
    while not (value := fact()):
        if time.monotonic() > deadline_s:
            raise TimeoutError(f"not within {within_s:g} s: {what}")
        time.sleep(0.05)
    return value

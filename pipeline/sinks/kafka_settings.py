"""How to reach a Kafka cluster: address, prefix, time limits and the client's settings.

The configuration's `sink.settings` -> arguments of kafka-python's clients. Opens no connection.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from operators.errors import UsageError
from pipeline.sinks.kafka_options import CONSUMER, NETWORK, PRODUCER, SECURITY, checked
from pipeline.sinks.topics import TOPICS

if TYPE_CHECKING:
    from pipeline.sinks.deadline import Deadline
    from pipeline.sinks.uri import KafkaAddress

DEADLINE_S = 60.0
LINGER_MS = 50  # every write ends with a flush; until then batches may fill


@dataclass(frozen=True, slots=True)
class KafkaSettings:
    """What a sink or a reader was told.

    Attributes:
        servers: `host:port` each.
        prefix: topics are called `prefix.NAME`.
        deadline_s: how long one operation may take, all its attempts together.
        client: settings of kafka-python, by its names.
    """

    servers: tuple[str, ...]
    prefix: str
    deadline_s: float = DEADLINE_S
    client: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        if not isinstance(self.deadline_s, int | float) or not 1 <= self.deadline_s <= 3600:
            raise UsageError(
                f"sink setting deadline_s is {self.deadline_s!r}; allowed are 1 to 3600 seconds"
            )

    @classmethod
    def of(cls, address: KafkaAddress, settings: Mapping[str, Any]) -> KafkaSettings:
        """Settings for an address.

        Raises:
            UsageError: a setting is unknown, not the user's to choose, or of a wrong kind.
        """
        client = checked({name: settings[name] for name in settings if name != "deadline_s"})
        deadline_s = settings.get("deadline_s", DEADLINE_S)
        return cls(address.servers, address.prefix, deadline_s, client)

    @property
    def where(self) -> str:
        """The address as a person knows it."""
        return f"kafka://{','.join(self.servers)}"

    @property
    def attempt_s(self) -> float:
        """How long one attempt of an operation may take; a client that takes longer is replaced."""
        return max(1.0, self.deadline_s / 4)

    def topic(self, name: str) -> str:
        """The broker's name of a topic."""
        return f"{self.prefix}.{name}"

    def name(self, topic: str) -> str | None:
        """Our name of a broker's topic; None where it is not ours. A topic of another prefix that
        begins with this one (`dinostream.test.depth`) is told by the end of its name."""
        name = topic.removeprefix(f"{self.prefix}.")
        if name == topic or name in TOPICS:
            return None if name == topic else name
        parts = name.split(".")
        tails = {".".join(parts[start:]) for start in range(1, len(parts))}
        return None if tails & set(TOPICS) else name

    def shared(self, deadline: Deadline) -> dict[str, Any]:
        """Arguments that every client takes; it gives up by itself a little before `deadline`."""
        timeout_ms = max(100, int(deadline.left_s * 950))
        return {
            "bootstrap_servers": list(self.servers),
            "bootstrap_timeout_ms": timeout_ms,
            "request_timeout_ms": timeout_ms,
            "reconnect_backoff_max_ms": 1000,  # the patience is ours; the default waits for 30 s
            **self._chosen(SECURITY),
            **self._chosen(NETWORK),
        }

    def producer(self, deadline: Deadline) -> dict[str, Any]:
        """Arguments of a producer."""
        attempt_ms = int(self.attempt_s * 1000)
        return {
            **self.shared(deadline),
            "acks": "all",
            "enable_idempotence": True,
            "allow_auto_create_topics": False,
            "request_timeout_ms": attempt_ms - LINGER_MS,
            "delivery_timeout_ms": attempt_ms,
            "max_block_ms": attempt_ms,
            "linger_ms": LINGER_MS,
            # Between the requests of a transaction the client sleeps this long: a commit of 20
            # records took 120 ms with the default of 100 ms, 18 ms with this.
            "retry_backoff_ms": 10,
            "batch_size": 1024 * 1024,
            "compression_type": "lz4",
            "max_request_size": max(topic.max_message_bytes for topic in TOPICS.values()),
            **self._chosen(PRODUCER),
        }

    def transactional(self, deadline: Deadline, transactional_id: str) -> dict[str, Any]:
        """Arguments of a transactional producer. The broker gives an abandoned transaction up after
        two attempts' time; until then readers of its partitions wait."""
        arguments = self.producer(deadline)
        arguments.setdefault("transaction_timeout_ms", int(self.attempt_s * 2000))
        return {**arguments, "transactional_id": transactional_id}

    def consumer(self, deadline: Deadline, *, committed: bool = True) -> dict[str, Any]:
        """Arguments of a consumer without a group."""
        return {
            **self.shared(deadline),
            "request_timeout_ms": max(2000, int(deadline.left_s * 950)),  # above the fetch's wait
            "group_id": None,
            "enable_auto_commit": False,
            "allow_auto_create_topics": False,
            "auto_offset_reset": "earliest",
            "isolation_level": "read_committed" if committed else "read_uncommitted",
            **self._chosen(CONSUMER),
        }

    def _chosen(self, names: Iterable[str]) -> dict[str, Any]:
        return {name: self.client[name] for name in names if name in self.client}

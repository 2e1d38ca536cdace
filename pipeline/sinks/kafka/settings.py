"""How to reach a Kafka cluster: address, prefix, time limits and the client's settings.

The configuration's `sink.settings` -> arguments of kafka-python's clients. Opens no connection.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from operators.errors import UsageError
from pipeline.records.topics import TOPICS
from pipeline.sinks.address import KafkaAddress
from pipeline.sinks.kafka.deadline import Deadline
from pipeline.sinks.kafka.options import (
    CONSUMER,
    KAFKA_PYTHON,
    NETWORK,
    OURS,
    PRODUCER,
    SECURITY,
    TRANSACTIONS,
    checked,
)
from pipeline.sinks.kafka.protection import stays_here
from pipeline.sinks.kafka.token_file import TokenFile
from pipeline.sinks.kafka.trouble import Trouble

ATTEMPT_S = 10.0
MOST_ATTEMPT_S = 300.0  # a transaction lasts twice as long at most; brokers allow 900 s by default
GIVEN_UP_S = 15.0  # until a broker has looked (every 10 s) which transactions are too old
OPERATION_ATTEMPTS = 6
BATCH_BYTES = 1024 * 1024  # larger ones gain nothing
COMPRESSION = "gzip"  # of what every client reads without further packages, the smallest
SESSION_MS = 10_000  # until a member that was killed is missed; least that brokers take: 6 s
METADATA_MS = 5000  # a group that a deleted topic has left looks so often whether it is back
TOKEN_FILE = "sasl_oauth_token_file"
LINGER_MS = 50  # every write ends with a flush; until then batches may fill


@dataclass(frozen=True, slots=True)
class KafkaSettings:
    """What a sink or a reader was told.

    Attributes:
        servers: `host:port` each.
        prefix: topics are called `prefix.NAME`.
        attempt_s: how long one attempt may take; a client that takes longer is replaced. How long
            an outage is borne is not the client's business.
        client: settings of kafka-python, by its names.
        compression: of batches, by its name.
        delivery: whether a commit is a transaction, or records and then progress.
        library: that writes; kafka-python reads, and all else.
        stays_here: what logs in with them goes to no other machine, whatever a broker says.
        batch_bytes: no batch of several records is larger, whatever `client` says.
        trouble: where the clients that are made with these settings tell why they cannot connect.
    """

    servers: tuple[str, ...]
    prefix: str
    attempt_s: float = ATTEMPT_S
    client: Mapping[str, Any] = field(default_factory=dict, repr=False)
    compression: str = COMPRESSION
    delivery: str = TRANSACTIONS
    library: str = KAFKA_PYTHON
    stays_here: bool = False
    batch_bytes: int | None = None
    trouble: Trouble = field(default_factory=Trouble, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not isinstance(self.attempt_s, int | float) or not 1 <= self.attempt_s <= MOST_ATTEMPT_S:
            raise UsageError(
                f"sink setting attempt_s is {self.attempt_s!r}; allowed are 1 to "
                f"{MOST_ATTEMPT_S:.0f} seconds"
            )

    @classmethod
    def of(cls, address: KafkaAddress, settings: Mapping[str, Any]) -> KafkaSettings:
        """Settings for an address.

        Raises:
            UsageError: a setting is unknown, not the user's to choose, or of a wrong kind.
        """
        chosen = checked(settings, address.servers)
        return cls(
            address.servers,
            address.prefix,
            attempt_s=chosen.get("attempt_s", ATTEMPT_S),
            client={name: chosen[name] for name in chosen if name not in OURS},
            compression=chosen.get("compression", COMPRESSION),
            delivery=chosen.get("delivery", TRANSACTIONS),
            library=chosen.get("client", KAFKA_PYTHON),
            stays_here=stays_here(chosen),
        )

    @property
    def where(self) -> str:
        """The address as a person knows it."""
        return f"kafka://{','.join(self.servers)}"

    @property
    def operation_s(self) -> float:
        """How long a claim or a reader may take, all attempts together."""
        return self.attempt_s * OPERATION_ATTEMPTS

    @property
    def claim_s(self) -> float:
        """How long a claim may take: until the broker has given up a transaction whose writer was
        killed, too, which hides what was written behind it."""
        return max(self.operation_s, self.transaction_timeout_s + GIVEN_UP_S)

    @property
    def transaction_timeout_s(self) -> float:
        """After so long without an end the broker gives a transaction up."""
        chosen: float = self.client.get("transaction_timeout_ms", self.attempt_s * 2000)
        return chosen / 1000

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
            **self._security(),
            **self._chosen(NETWORK),
        }

    def producer(self, deadline: Deadline) -> dict[str, Any]:
        """Arguments of a producer."""
        attempt_ms = int(self.attempt_s * 1000)
        arguments = {
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
            "batch_size": BATCH_BYTES,
            "compression_type": None if self.compression == "none" else self.compression,
            "max_request_size": max(topic.max_message_bytes for topic in TOPICS.values()),
            **self._chosen(PRODUCER),
        }
        if self.batch_bytes is not None:
            arguments["batch_size"] = self.batch_bytes
        return arguments

    def transactional(self, deadline: Deadline, transactional_id: str) -> dict[str, Any]:
        """Arguments of a transactional producer. The broker gives an abandoned transaction up after
        two attempts' time, where `transaction_timeout_ms` says nothing else; until then readers of
        its partitions wait."""
        arguments = self.producer(deadline)
        timeout_ms = int(self.transaction_timeout_s * 1000)
        return {
            **arguments,
            "transaction_timeout_ms": timeout_ms,
            "transactional_id": transactional_id,
        }

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

    def reading_consumer(self, deadline: Deadline, *, group: str | None) -> dict[str, Any]:
        """Arguments of a consumer whose reader decides where it begins."""
        arguments = {**self.consumer(deadline), "auto_offset_reset": "none"}
        if group is None:
            return arguments
        ours = {"session_timeout_ms": SESSION_MS, "metadata_max_age_ms": METADATA_MS}
        return {**arguments, "group_id": group, **ours, **self._chosen(NETWORK)}

    def _security(self) -> dict[str, Any]:
        chosen = self._chosen(SECURITY)
        if TOKEN_FILE in chosen:
            chosen["sasl_oauth_token_provider"] = TokenFile(Path(chosen.pop(TOKEN_FILE)))
        if "ssl_certfile" in chosen:
            chosen.setdefault("ssl_password", "")  # else OpenSSL asks at the terminal
        return chosen

    def _chosen(self, names: Iterable[str]) -> dict[str, Any]:
        return {name: self.client[name] for name in names if name in self.client}

"""How to reach a Kafka cluster: address, prefix, time limits and the client's settings.

The configuration's `sink.settings` -> arguments of kafka-python's clients. Passwords are remembered
for masking as soon as they are seen. Opens no connection.
"""

from __future__ import annotations

import difflib
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from operators.errors import UsageError
from pipeline.secrets import remember, remember_url
from pipeline.sinks.topics import TOPICS

if TYPE_CHECKING:
    from pipeline.sinks.deadline import Deadline
    from pipeline.sinks.uri import KafkaAddress

log = logging.getLogger(__name__)

DEADLINE_S = 60.0
SECURITY = (
    *("security_protocol", "ssl_check_hostname", "ssl_cafile", "ssl_certfile", "ssl_keyfile"),
    *("ssl_password", "ssl_crlfile", "ssl_ciphers", "sasl_mechanism", "sasl_plain_username"),
    *("sasl_plain_password", "sasl_kerberos_name", "sasl_kerberos_service_name"),
    *("sasl_kerberos_domain_name", "proxy_url"),
)
NETWORK = (
    *("client_id", "client_dns_lookup", "connections_max_idle_ms", "metadata_max_age_ms"),
    *("receive_buffer_bytes", "send_buffer_bytes"),
)
PRODUCER = ("compression_type", "batch_size", "max_request_size", "transaction_timeout_ms")
CONSUMER = ("fetch_max_bytes", "max_partition_fetch_bytes", "max_poll_records")
OWN = ("deadline_s",)
SECRETS = ("ssl_password", "sasl_plain_password")


@dataclass(frozen=True, slots=True)
class KafkaSettings:
    """Attributes:
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
            UsageError: a setting is unknown or not the user's to choose.
        """
        known = (*SECURITY, *NETWORK, *PRODUCER, *CONSUMER, *OWN)
        for name in settings:
            if name not in known:
                near = difflib.get_close_matches(name, known, n=1)
                hint = f"; did you mean {near[0]}?" if near else "; dinostream sets the others"
                raise UsageError(f"a kafka:// sink has no setting {name!r}{hint}")
        remember(*(str(settings[name]) for name in SECRETS if settings.get(name)))
        if proxy := settings.get("proxy_url"):
            remember_url(str(proxy))
        if settings.get("ssl_check_hostname", True) is not True:
            log.warning("ssl_check_hostname is off: anybody between here and the broker can read")
        deadline_s = settings.get("deadline_s", DEADLINE_S)
        client = {name: value for name, value in settings.items() if name not in OWN}
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
            "reconnect_backoff_max_ms": 1000,  # ours is the patience; the default waits for 30 s
            **self._chosen(SECURITY + NETWORK),
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
            "linger_ms": LINGER_MS,  # every write ends with a flush; until then batches may fill
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
        timeout_ms = int(self.attempt_s * 2000)
        return {
            "transaction_timeout_ms": timeout_ms,
            **self.producer(deadline),
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

    def _chosen(self, names: tuple[str, ...]) -> dict[str, Any]:
        return {name: self.client[name] for name in names if name in self.client}


LINGER_MS = 50

"""A sink's settings -> librdkafka's, by its names. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from operators.errors import UsageError
from pipeline.sinks.kafka.deadline import Deadline
from pipeline.sinks.kafka.settings import KafkaSettings
from pipeline.sinks.kafka.squeeze import LEVEL

NAMES = {
    "security_protocol": "security.protocol",
    "ssl_check_hostname": "ssl.endpoint.identification.algorithm",
    "ssl_cafile": "ssl.ca.location",
    "ssl_crlfile": "ssl.crl.location",
    "ssl_certfile": "ssl.certificate.location",
    "ssl_keyfile": "ssl.key.location",
    "ssl_password": "ssl.key.password",
    "sasl_mechanism": "sasl.mechanism",
    "sasl_plain_username": "sasl.username",
    "sasl_plain_password": "sasl.password",
    "client_id": "client.id",
    "connections_max_idle_ms": "connections.max.idle.ms",
    "metadata_max_age_ms": "metadata.max.age.ms",
    "receive_buffer_bytes": "socket.receive.buffer.bytes",
    "send_buffer_bytes": "socket.send.buffer.bytes",
}
OF_READERS = {"fetch_max_bytes", "max_partition_fetch_bytes", "max_poll_records"}
OF_WRITERS = {"batch_size", "max_request_size", "transaction_timeout_ms"}
MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")


def arguments(settings: KafkaSettings, transactional_id: str | None) -> dict[str, Any]:
    """Of a producer, which with a transactional id writes transactions.

    Raises:
        UsageError: a setting is of no use to this client, or would protect less.
    """
    _require_known(settings)
    chosen = settings.transactional(Deadline(1), transactional_id or "")
    delivery_ms = min(chosen["delivery_timeout_ms"], chosen["transaction_timeout_ms"])
    return {
        "bootstrap.servers": ",".join(settings.servers),
        "enable.idempotence": True,
        **({"transactional.id": transactional_id} if transactional_id else {}),
        "transaction.timeout.ms": chosen["transaction_timeout_ms"],
        "delivery.timeout.ms": delivery_ms,
        "socket.timeout.ms": delivery_ms,
        "retry.backoff.ms": chosen["retry_backoff_ms"],
        "reconnect.backoff.max.ms": chosen["reconnect_backoff_max_ms"],
        "linger.ms": chosen["linger_ms"],
        "batch.size": chosen["batch_size"],
        "message.max.bytes": chosen["max_request_size"],
        "compression.type": settings.compression,
        **({"compression.level": LEVEL} if settings.compression == "gzip" else {}),
        "allow.auto.create.topics": False,
        **{NAMES[name]: _said(name, value) for name, value in _named(settings.client).items()},
    }


def _named(client: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in client.items() if name in NAMES}


def _said(name: str, value: Any) -> Any:
    if name == "ssl_check_hostname":
        return "https" if value else "none"
    return value


def _require_known(settings: KafkaSettings) -> None:
    client = settings.client
    strange = sorted(client.keys() - NAMES.keys() - OF_READERS - OF_WRITERS)
    if strange:
        raise UsageError(
            f"sink setting {strange[0]} does not go with client confluent; leave client out, or "
            f"{strange[0]}"
        )
    if settings.stays_here:
        raise UsageError(
            "client confluent would send the login in clear to wherever a broker says that another "
            "one is; use security_protocol SASL_SSL, set cleartext_password to true where nobody "
            "is in between, or leave client out"
        )
    mechanism = client.get("sasl_mechanism")
    if mechanism not in (None, *MECHANISMS):
        raise UsageError(
            f"sasl_mechanism {mechanism} does not go with client confluent, which is offered with "
            f"{', '.join(MECHANISMS)}; leave client out"
        )

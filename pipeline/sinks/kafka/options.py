"""Which settings of a Kafka sink a user may choose, and what they may be.

The client takes what it does not know, and leaves aside what does not fit: with
`security_protocol: TLS`, or a password and no protocol at all, it would talk in clear.
"""

from __future__ import annotations

import difflib
import logging
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from operators.errors import UsageError
from pipeline.secrets import MASK, Hidden, mask, remember, remember_url
from pipeline.sinks.kafka.protection import SHOWN, require_protection, weakenings
from pipeline.sinks.kafka.tls_files import require_tls_files

log = logging.getLogger(__name__)

Kind = type | tuple[str, ...]  # of a value: its type, or the words that are allowed

SECURITY: dict[str, Kind] = {
    "security_protocol": ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"),
    "ssl_check_hostname": bool,
    "ssl_cafile": Path,
    "ssl_certfile": Path,
    "ssl_keyfile": Path,
    "ssl_crlfile": Path,
    "ssl_password": str,
    "sasl_mechanism": (*SHOWN, "GSSAPI", "AWS_MSK_IAM"),
    "sasl_plain_username": str,
    "sasl_plain_password": str,
    "sasl_oauth_token_file": Path,
    "sasl_kerberos_name": str,
    "sasl_kerberos_service_name": str,
    "sasl_kerberos_domain_name": str,
    "proxy_url": str,
}
NETWORK: dict[str, Kind] = {
    "client_id": str,
    "connections_max_idle_ms": int,
    "metadata_max_age_ms": int,
    "receive_buffer_bytes": int,
    "send_buffer_bytes": int,
}
PRODUCER: dict[str, Kind] = {
    "batch_size": int,
    "max_request_size": int,
    "transaction_timeout_ms": int,
}
CONSUMER: dict[str, Kind] = {
    "fetch_max_bytes": int,
    "max_partition_fetch_bytes": int,
    "max_poll_records": int,
}
COMPRESSIONS = ("none", "gzip", "lz4", "zstd")
TRANSACTIONS, IDS = "transactions", "ids"
KAFKA_PYTHON, CONFLUENT = "kafka-python", "confluent"
OURS: dict[str, Kind] = {  # not the client's
    "attempt_s": object,  # `KafkaSettings` knows its bounds
    "client": (KAFKA_PYTHON, CONFLUENT),
    "compression": COMPRESSIONS,
    "delivery": (TRANSACTIONS, IDS),
    "cleartext_password": bool,
}
KINDS = SECURITY | NETWORK | PRODUCER | CONSUMER | OURS
SECRETS = ("ssl_password", "sasl_plain_password")
GONE = {
    "deadline_s": "attempt_s limits one attempt, the configuration's patience_s how long an outage "
    "is borne",
    "compression_type": f"it is called compression: {', '.join(COMPRESSIONS)}",
}


def checked(options: Mapping[str, Any], servers: Sequence[str]) -> dict[str, Any]:
    """The options, once all of them can be used; passwords are remembered for masking.

    Args:
        options: the sink's settings.
        servers: `host:port` each, where they are to be used.

    Raises:
        UsageError: one is unknown, not the user's to choose, or of a wrong kind; or together they
            would do without the protection that one of them asks for.
    """
    remember(*(str(options[name]) for name in SECRETS if options.get(name)))
    remember_url(str(options.get("proxy_url", "")))
    for name, value in options.items():
        if name not in KINDS:
            near = difflib.get_close_matches(name, KINDS, n=1)
            hint = f"did you mean {near[0]}?" if near else "dinostream sets the others"
            raise UsageError(f"a kafka:// sink has no setting {name!r}; {GONE.get(name, hint)}")
        if fault := _fault(KINDS[name], value):
            shown = MASK if name in SECRETS else mask(repr(value))
            raise UsageError(f"sink setting {name} is {shown}; {fault}")
    require_protection(options, servers)
    require_tls_files(options)
    for weakening in weakenings(options):
        log.warning("kafka://%s: %s", ",".join(servers), weakening)
    return {name: Hidden(one) if name in SECRETS else one for name, one in options.items()}


def _fault(kind: Kind, value: Any) -> str:
    if isinstance(kind, tuple):
        return "" if value in kind else f"allowed are {', '.join(kind)}"
    if kind is Path:
        readable = isinstance(value, str) and Path(value).is_file() and os.access(value, os.R_OK)
        return "" if readable else "it must be the path of a file that can be read"
    if kind is int and isinstance(value, int) and not isinstance(value, bool):
        return "" if value > 0 else "it must be above 0"
    return (
        "" if kind is not int and isinstance(value, kind) else f"it must be of type {kind.__name__}"
    )

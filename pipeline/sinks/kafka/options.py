"""Which settings of kafka-python a user may choose, and what they may be.

The client takes what it does not know: with `security_protocol: TLS` it would talk in clear.
"""

from __future__ import annotations

import difflib
import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from operators.errors import UsageError
from pipeline.secrets import MASK, remember, remember_url

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
    "ssl_ciphers": str,
    "sasl_mechanism": ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "GSSAPI", "AWS_MSK_IAM"),
    "sasl_plain_username": str,
    "sasl_plain_password": str,
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
    "compression_type": ("gzip", "lz4", "snappy", "zstd"),
    "batch_size": int,
    "max_request_size": int,
    "transaction_timeout_ms": int,
}
CONSUMER: dict[str, Kind] = {
    "fetch_max_bytes": int,
    "max_partition_fetch_bytes": int,
    "max_poll_records": int,
}
KINDS = SECURITY | NETWORK | PRODUCER | CONSUMER
SECRETS = ("ssl_password", "sasl_plain_password")
OURS = ("attempt_s",)
GONE = {
    "deadline_s": "attempt_s limits one attempt, the configuration's patience_s how long an outage "
    "is borne"
}


def checked(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options, once all of them can be used; passwords are remembered for masking.

    Raises:
        UsageError: one is unknown, not the user's to choose, or of a wrong kind.
    """
    remember(*(str(options[name]) for name in SECRETS if options.get(name)))
    remember_url(str(options.get("proxy_url", "")))
    for name, value in options.items():
        if name not in KINDS:
            near = difflib.get_close_matches(name, [*KINDS, *OURS], n=1)
            hint = f"did you mean {near[0]}?" if near else "dinostream sets the others"
            raise UsageError(f"a kafka:// sink has no setting {name!r}; {GONE.get(name, hint)}")
        if fault := _fault(KINDS[name], value):
            shown = MASK if name in SECRETS else repr(value)
            raise UsageError(f"sink setting {name} is {shown}; {fault}")
    if options.get("ssl_check_hostname") is False:
        log.warning("ssl_check_hostname is off: whoever is in between can pose as the broker")
    return dict(options)


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

"""Which settings of a Kafka sink protect nothing, or less than they could.

Settings and hosts in -> nothing, an error, or what to warn of.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from operators.errors import UsageError

LOOPBACK = re.compile(r"localhost|127\.[0-9.]+|\[?::1\]?")
PASSWORD = ("sasl_plain_username", "sasl_plain_password")
SHOWN = {  # mechanism -> what it needs, and shows to all in between where there is no TLS
    "PLAIN": PASSWORD,
    "SCRAM-SHA-256": PASSWORD,
    "SCRAM-SHA-512": PASSWORD,
    "OAUTHBEARER": ("sasl_oauth_token_file",),
}
_WAY_OUT = (
    "use security_protocol SASL_SSL, or set cleartext_password to true where nobody is in between"
)


def is_loopback(host: str) -> bool:
    """Whether a name or an address is this machine's own, whatever a resolver says."""
    return bool(LOOPBACK.fullmatch(host))


def stays_here(options: Mapping[str, Any]) -> bool:
    """Whether these settings log in only to this machine: without TLS, and it is not allowed."""
    shown = options.get("sasl_mechanism") in SHOWN
    without_tls = options.get("security_protocol") == "SASL_PLAINTEXT"
    return shown and without_tls and not options.get("cleartext_password")


def in_clear(host: str) -> str:
    """Why there is no login to a host."""
    return f"the login would go to {host} in clear, for all in between to read; {_WAY_OUT}"


def require_protection(options: Mapping[str, Any], servers: Sequence[str]) -> None:
    """
    Args:
        options: the sink's settings, each of which is good by itself.
        servers: `host:port` each.

    Raises:
        UsageError: something in them does nothing, misses another, or would show a login.
    """
    protocol = options.get("security_protocol", "PLAINTEXT")
    for prefix, right in (("sasl_", "SASL_SSL"), ("ssl_", "SSL")):
        own = [name for name in options if name.startswith(prefix)]
        if own and prefix.strip("_").upper() not in protocol.split("_"):
            raise UsageError(
                f"sink setting {own[0]} does nothing with security_protocol {protocol}; set "
                f"security_protocol to {right}, or leave {own[0]} out"
            )
    _require_login(options, protocol)
    if "ssl_keyfile" in options and "ssl_certfile" not in options:
        raise UsageError("sink setting ssl_keyfile does nothing without ssl_certfile; set both")
    if stays_here(options):
        for host in _hosts(options, servers):
            if not is_loopback(host):
                raise UsageError(in_clear(host))


def weakenings(options: Mapping[str, Any]) -> Iterator[str]:
    """What somebody in between could do, which these settings allow."""
    if options.get("ssl_check_hostname") is False:
        yield "ssl_check_hostname is off: whoever is in between can pose as the broker"
    if options.get("cleartext_password") and options.get("security_protocol") == "SASL_PLAINTEXT":
        yield "cleartext_password is on: whoever is in between can read the login and use it"


def _require_login(options: Mapping[str, Any], protocol: str) -> None:
    if not protocol.startswith("SASL"):
        return
    mechanism = options.get("sasl_mechanism")
    if mechanism is None:
        raise UsageError(
            f"security_protocol {protocol} logs in, and no sink setting says how; set "
            f"sasl_mechanism: {', '.join(SHOWN)}, or another one"
        )
    needed = SHOWN.get(mechanism, ())
    if missing := [name for name in needed if name not in options]:
        raise UsageError(f"sasl_mechanism {mechanism} needs the sink setting {missing[0]}")
    others = {name for names in SHOWN.values() for name in names} - {*needed}
    if idle := [name for name in options if name in others]:
        raise UsageError(
            f"sink setting {idle[0]} does nothing with sasl_mechanism {mechanism}; leave it out"
        )


def _hosts(options: Mapping[str, Any], servers: Sequence[str]) -> Iterator[str]:
    """Where connections lead; behind a proxy, loopback is its own."""
    if proxy := options.get("proxy_url"):
        yield urlsplit(str(proxy)).hostname or ""
    for server in servers:
        yield server.rpartition(":")[0]

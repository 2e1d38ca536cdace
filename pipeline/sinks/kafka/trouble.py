"""Why connections to a cluster failed, and what a person can do about it.

kafka-python tells its caller that it could not bootstrap, or that nothing came in time. What it
knew of each connection is kept here: failures in -> the one that tells the most, in words.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from kafka import errors

from pipeline.sinks.kafka.refused import DISTRUST, TLS_ANSWER, LoginInClear, described, telling
from pipeline.sinks.kafka.token_file import TokenError

CLOSED = "socket disconnected"
REFUSED = "ECONNREFUSED"
DESERTED_S = 2.0  # a leader that moves is found sooner; a new client finds a broker that came back
_SETTINGS = "are security_protocol, sasl_* and ssl_* in the sink's settings as it wants them?"
_OWN = "it wants a certificate of its clients: set ssl_certfile and ssl_keyfile"
_DISTRUST = (
    "it does not take the certificate of ssl_certfile; has that expired, or did an authority sign "
    "it that the broker does not know?"
)
_ADVICE = (  # part of what the client says -> what it means; the first counts
    (
        "invalid_token",
        "it refuses the token; has it expired, and was it issued for this cluster? "
        "sasl_oauth_token_file is read again at every login, so renew the file",
    ),
    (
        TokenError.__name__,
        "there is nothing to log in with; write the token to sasl_oauth_token_file",
    ),
    (
        LoginInClear.__name__,
        "its advertised.listeners lead to another machine",
    ),
    (
        errors.SaslAuthenticationFailedError.__name__,
        "it refuses the login; are sasl_plain_username and sasl_plain_password right?",
    ),
    (
        errors.UnsupportedSaslMechanismError.__name__,
        "it does not offer this sasl_mechanism; its listener says which in sasl.enabled.mechanisms",
    ),
    (
        errors.IllegalSaslStateError.__name__,
        "it wants no login there; set security_protocol to PLAINTEXT, or to SSL where it is "
        "SASL_SSL, or use the port of a listener that takes logins",
    ),
    (
        "mismatch, certificate is not valid for",
        "its certificate is for another name; use a name of the certificate in the sink's address, "
        "and in the broker's advertised.listeners",
    ),
    (
        "certificate has expired",
        "its certificate has expired, and whoever runs it has to renew it; or this machine's clock "
        "is wrong",
    ),
    (
        "CERTIFICATE_VERIFY_FAILED",
        "its certificate cannot be trusted; ssl_cafile must be the file of the authority that "
        "signed it",
    ),
    ("ALERT_BAD_CERTIFICATE", _OWN),
    ("CERTIFICATE_REQUIRED", _OWN),
    *((alert, _DISTRUST) for alert in DISTRUST),
    ("_ALERT_", f"it refuses our TLS; a version or a cipher that it does not take, or {_OWN}"),
    (TLS_ANSWER, "it answers in TLS; set security_protocol to SSL, or to SASL_SSL with a login"),
    (
        "Handshake failed",
        "it breaks the TLS handshake off, as a listener without TLS does; use the port of one with "
        "TLS, or set security_protocol to PLAINTEXT or SASL_PLAINTEXT",
    ),
    (
        CLOSED,
        f"it takes connections and closes them, as who wants TLS or a login does; {_SETTINGS}",
    ),
)


@dataclass(frozen=True, slots=True)
class Failure:
    """Of a connection.

    Attributes:
        address: `host:port`.
        advertised: a broker gave the address, not the user.
        text: what the client says.
        weight: how much that tells, as of `telling`.
    """

    address: str
    advertised: bool
    text: str
    weight: int

    @property
    def final(self) -> bool:
        """Another attempt would end in the same way."""
        return self.weight == 2

    @property
    def doubts_settings(self) -> bool:
        """It may be that the settings are wrong, or that the broker just went away."""
        return CLOSED in self.text

    def __str__(self) -> str:
        advice = next((advice for sign, advice in _ADVICE if sign in self.text), "")
        if self.advertised and not advice:
            return (
                f"a broker says that it is reached at {self.address} (its advertised.listeners), "
                f"and it is not: {self.text}"
            )
        return (
            f"{self.address}: {advice} ({self.text})" if advice else f"{self.address}: {self.text}"
        )


class Trouble:
    """What the clients of one sink or reader met since it was cleared; from any thread."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """
        Args:
            clock: seconds, monotonic.
        """
        self._clock = clock
        self._lock = threading.Lock()
        self._worst: Failure | None = None
        self._refused_s: tuple[float, float] | None = None  # first and last time

    def note(self, address: str, error: BaseException, *, advertised: bool) -> None:
        """A connection failed. Only words are kept: an error holds on to sockets."""
        failure = Failure(address, advertised, described(error), telling(error))
        with self._lock:
            if advertised and REFUSED in failure.text:
                now_s = self._clock()
                self._refused_s = (self._refused_s or (now_s, now_s))[0], now_s
            if self._worst is None or failure.weight >= self._worst.weight:
                self._worst = failure

    def begin_attempt(self) -> None:
        """Forget who was away in the last one, and not why it failed."""
        with self._lock:
            self._refused_s = None

    @property
    def deserted(self) -> bool:
        """Where a broker said that one is, nobody has been for a while, and the client goes on
        asking. It may do so after the broker is back: its requests wait for a connection that it
        has lost."""
        refused_s = self._refused_s
        return refused_s is not None and refused_s[1] - refused_s[0] >= DESERTED_S

    def clear(self) -> None:
        """What comes is a matter of its own."""
        with self._lock:
            self._worst = None

    @property
    def worst(self) -> Failure | None:
        """What tells the most; of equals the last."""
        return self._worst

    @property
    def final(self) -> bool:
        """Another attempt would end in the same way."""
        return self._worst is not None and self._worst.final

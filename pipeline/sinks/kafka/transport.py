"""How kafka-python reads from a broker, without what 3.0.12 loses.

It drops an answer that comes together with the end of a connection, and that is how a broker
refuses a login; and the socket of a TLS handshake that failed stays open.
"""

from __future__ import annotations

from typing import Any

from kafka.errors import KafkaConnectionError
from kafka.net.transport import KafkaSSLTransport, KafkaTCPTransport


class _Reading:
    """Goes before one of the client's transports."""

    def _sock_recv(self) -> tuple[bytes, Any]:
        data, error = super()._sock_recv()  # type: ignore[misc]
        return (data, None if data else error)  # the end comes again

    async def handshake(self) -> None:
        try:
            await super().handshake()  # type: ignore[misc]
        except Exception as error:
            self.close()  # type: ignore[attr-defined]
            raise KafkaConnectionError(f"Handshake failed: {error}") from error


class PlainTransport(_Reading, KafkaTCPTransport):  # type: ignore[misc]
    """In clear."""


class TlsTransport(_Reading, KafkaSSLTransport):  # type: ignore[misc]
    """Encrypted."""

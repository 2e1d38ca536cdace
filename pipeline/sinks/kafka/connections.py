"""kafka-python's connections, each of which says why it failed."""

from __future__ import annotations

from typing import Any

from kafka.net.compat import KafkaNetClient
from kafka.net.inet import create_connection
from kafka.net.manager import KafkaConnectionManager
from kafka.net.selector import NetworkSelector

from pipeline.sinks.kafka.refused import hopeless
from pipeline.sinks.kafka.transport import PlainTransport, TlsTransport
from pipeline.sinks.kafka.trouble import Trouble


class Connections(KafkaConnectionManager):  # type: ignore[misc]  # kafka-python has no types
    """Those of one client. One that was refused for good is not tried again: the client would go on
    until its time is up, and then say only that."""

    def __init__(self, net: Any, trouble: Trouble, **options: Any) -> None:
        super().__init__(net, **options)
        self._trouble = trouble
        self._refused: dict[Any, BaseException] = {}

    def get_connection(self, node_id: Any, *arguments: Any, **options: Any) -> Any:
        if node_id in self._refused:
            raise self._refused[node_id]
        known = node_id in self._conns
        connection = super().get_connection(node_id, *arguments, **options)
        if not known:
            node = self.cluster.broker_metadata(node_id)
            address, named = f"{node.host}:{node.port}", self.cluster.is_bootstrap(node_id)

            def failed(error: BaseException) -> None:
                self._trouble.note(address, error, advertised=not named)
                if hopeless(error):
                    self._refused[node_id] = error

            connection.init_future.add_errback(failed)
            connection.close_future.add_errback(failed)
        return connection

    async def _build_transport(self, node: Any, timeout_at: float | None = None) -> Any:
        socket = await create_connection(
            self._net,
            node.host,
            node.port,
            self.config["socket_options"],
            proxy_url=self.config["proxy_url"],
            timeout_at=timeout_at,
        )
        if self.ssl_enabled:
            tls = {name: self.config[name] for name in self.config if name.startswith("ssl_")}
            transport = TlsTransport(self._net, socket, host=node.host, **tls)
        else:
            transport = PlainTransport(self._net, socket, host=node.host)
        await transport.handshake()
        return transport


def connect(trouble: Trouble, **options: Any) -> KafkaNetClient:
    """What kafka-python's clients take for `kafka_client`."""
    net = NetworkSelector(**options)
    return KafkaNetClient(net, Connections(net, trouble, **options))

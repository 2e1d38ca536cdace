"""kafka-python's connections, each of which says why it failed."""

from __future__ import annotations

import math
import time
from contextlib import suppress
from typing import Any

from kafka.errors import (
    KafkaError,
    KafkaTimeoutError,
    NodeNotReadyError,
    SaslAuthenticationFailedError,
)
from kafka.future import Future
from kafka.net.compat import KafkaNetClient
from kafka.net.inet import create_connection
from kafka.net.manager import KafkaConnectionManager
from kafka.net.selector import NetworkSelector

from pipeline.sinks.kafka.protection import in_clear, is_loopback
from pipeline.sinks.kafka.refused import LoginInClear, hopeless
from pipeline.sinks.kafka.token_file import TokenFile
from pipeline.sinks.kafka.transport import PlainTransport, TlsTransport
from pipeline.sinks.kafka.trouble import Trouble

LOOK_MS = 200  # until an address whose connection has failed is tried again


class Connections(KafkaConnectionManager):  # type: ignore[misc]  # kafka-python has no types
    """Those of one client. One that was refused for good is not tried again before the trouble is
    cleared: the client would go on until its time is up, and then say only that."""

    def __init__(self, net: Any, trouble: Trouble, *, stays_here: bool, **options: Any) -> None:
        super().__init__(net, **options)
        self._trouble = trouble
        self._stays_here = stays_here
        self._token: TokenFile | None = options.get("sasl_oauth_token_provider")
        self._refused: dict[Any, BaseException] = {}
        self._passed_over: set[Any] = set()

    def get_connection(self, node_id: Any, *arguments: Any, **options: Any) -> Any:
        if node_id in self._refused and self._trouble.final:
            raise self._refused[node_id]
        known = node_id in self._conns
        connection = super().get_connection(node_id, *arguments, **options)
        if not known:
            node = self.cluster.broker_metadata(node_id)
            address, named = f"{node.host}:{node.port}", self.cluster.is_bootstrap(node_id)

            def failed(error: BaseException) -> None:
                if node_id in self._passed_over:
                    return
                if isinstance(error, SaslAuthenticationFailedError) and self._token:
                    told = filter(None, (*map(str, error.args), self._token.age))
                    error = SaslAuthenticationFailedError("; ".join(told))
                self._trouble.note(address, error, advertised=not named)
                if hopeless(error):
                    self._refused[node_id] = error

            connection.init_future.add_errback(failed)
            connection.close_future.add_errback(failed)
        return connection

    async def _do_bootstrap(self, deadline: float | None) -> Any:
        """The client's own way takes one of the addresses and waits for it until time is up: one
        frozen broker of three kept nearly every claim, of six clients, from the two others."""
        addresses = self.cluster._bootstrap_brokers
        if len(addresses) > 1 and (first := await self._first_to_answer(addresses, deadline)):
            self.cluster._bootstrap_brokers = {first: addresses[first]}
        try:
            return await super()._do_bootstrap(deadline)
        finally:
            self.cluster._bootstrap_brokers = addresses

    async def _first_to_answer(self, addresses: Any, deadline: float | None) -> Any:
        """Ask all of them at once; None where nobody answers in time, or all refuse."""
        self._passed_over = set()
        answer = Future()
        end = math.inf if deadline is None else deadline
        while not (answer.is_done or self.closed) and time.monotonic() < end:
            if self._refused.keys() >= addresses.keys():
                return None
            for node_id in addresses.keys() - self._conns.keys() - self._refused.keys():
                with suppress(NodeNotReadyError):  # it has failed a moment ago
                    self._ask(node_id, answer)
            with suppress(KafkaTimeoutError):
                await self.wait_for(answer, LOOK_MS)
        self._passed_over = addresses.keys() - {answer.value}
        for node_id in self._passed_over & self._conns.keys():
            self._conns[node_id].close()  # which is no trouble
        return answer.value

    def _ask(self, node_id: Any, answer: Any) -> None:
        connection = self.get_connection(
            node_id, refresh_metadata_on_err=False, reset_backoff_on_connect=False
        )
        connection.init_future.add_callback(
            lambda _: None if answer.is_done else answer.success(node_id)
        )

    def send(self, request: Any, node_id: Any = None, **options: Any) -> Future:
        """A refusal is the answer: a consumer that it is raised to takes its request for one that
        is on its way, for ever."""
        try:
            return super().send(request, node_id, **options)
        except KafkaError as error:
            return Future().failure(error)

    async def _build_transport(self, node: Any, timeout_at: float | None = None) -> Any:
        if self._stays_here and not is_loopback(node.host):  # the user named no such host
            raise LoginInClear(in_clear(node.host))
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
            try:
                transport = TlsTransport(self._net, socket, host=node.host, **tls)
            except OSError:  # of its files, which somebody has exchanged
                socket.close()
                raise
        else:
            transport = PlainTransport(self._net, socket, host=node.host)
        await transport.handshake()
        return transport


def connect(trouble: Trouble, *, stays_here: bool, **options: Any) -> KafkaNetClient:
    """What kafka-python's clients take for `kafka_client`. Where it `stays_here`, none of it leads
    to another machine."""
    net = NetworkSelector(**options)
    return KafkaNetClient(net, Connections(net, trouble, stays_here=stays_here, **options))

"""A real receiver of OTLP over HTTP, as a collector is one: it keeps the spans that come."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.serving import serving


class Receiver(ThreadingHTTPServer):
    """
    Attributes:
        status: that requests are answered with; only with 200 it takes them.
        paths: that were asked for.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status = 200
        self.paths: set[str] = set()
        self.requests: list[bytes] = []
        self.url = f"http://127.0.0.1:{self.server_port}"

    def spans(self) -> list[Any]:
        """In the order in which they came."""
        service = pytest.importorskip("opentelemetry.proto.collector.trace.v1.trace_service_pb2")
        found: list[Any] = []
        for body in [*self.requests]:
            for one in service.ExportTraceServiceRequest.FromString(body).resource_spans:
                names = {each.key: each.value.string_value for each in one.resource.attributes}
                assert names["service.name"] == "dinostream"
                found += [span for scope in one.scope_spans for span in scope.spans]
        return found


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.paths.add(self.path)
        if self.server.status == 200:
            self.server.requests.append(body)
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver; a skip where the extra `otel` is not installed, whose messages it reads."""
    pytest.importorskip("opentelemetry.exporter.otlp.proto.http", reason="pip install '.[otel]'")
    with serving(Receiver()) as server:
        yield server

"""Schemas are told to a registry by its documented interface: each once, and none that breaks."""

from __future__ import annotations

import re
import socketserver
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from operators.errors import UsageError
from pipeline.schemas.catalogue import needed
from pipeline.schemas.registry import STRATEGIES, Registry, RegistryError, subjects
from tests.pipeline.schemas.registry_server import RegistryServer
from tests.serving import serving


@pytest.fixture
def registry(schema_registry):
    return Registry(schema_registry.url)


def test_a_schema_is_registered_once(registry, schema_registry):
    schema = {"type": "object", "properties": {"a": {"type": "number"}}}
    first = registry.register("mine-value", schema)
    assert (first.subject, first.outcome, first.detail) == ("mine-value", "registered", "id 1")
    again = registry.register("mine-value", schema)
    assert (again.outcome, again.detail) == ("existing", "version 1")
    assert registry.register("theirs-value", schema).detail == "id 1"
    assert schema_registry.subjects == {"mine-value": [schema], "theirs-value": [schema]}


def test_a_field_more_is_a_version_and_a_field_less_is_told(registry, schema_registry):
    def closed(**kinds):
        properties = {name: {"type": kind} for name, kind in kinds.items()}
        return {"type": "object", "properties": properties, "additionalProperties": False}

    registry.register("mine-value", closed(a="number"))
    assert registry.register("mine-value", closed(a="number", b="string")).outcome == "registered"
    for broken, named in ((closed(b="string"), "a"), (closed(a="string", b="string"), "a")):
        told = registry.register("mine-value", broken)
        assert told.outcome == "incompatible"
        assert "incompatible with an earlier schema" in told.detail
        assert told.detail.endswith(f" {named}]")
    assert len(schema_registry.subjects["mine-value"]) == 2


def test_subjects_are_of_public_topics_of_json(registry):
    found = {strategy: list(subjects("cams", strategy)) for strategy in STRATEGIES}
    assert found["topic"][0] == "cams.depth.summary-value"
    assert found["record"][0] == "dinostream.depth.summary.v1"
    assert found["topic-record"][0] == "cams.depth.summary-dinostream.depth.summary.v1"
    assert len({len(set(names)) for names in found.values()}) == 1
    assert "cams.manifest-value" in found["topic"]
    for name in ("cams.depth-value", "cams.embedding-value", "cams.progress-value"):
        assert name not in found["topic"]


def test_none_of_them_needs_another_which_a_registry_would_have_to_find():
    assert {name for one in subjects("p", "topic").values() for name in needed(one)} == set()


def test_a_login_is_sent_and_a_wrong_one_is_told(schema_registry):
    schema_registry.login = "team:sesame"
    assert Registry(schema_registry.url, "team:sesame").register("a", {}).outcome == "registered"
    with pytest.raises(RegistryError, match="401 Unauthorized"):
        Registry(schema_registry.url).register("a", {})


def test_a_subject_is_one_part_of_the_path(registry, schema_registry):
    registry.register("a/b c", {})
    assert schema_registry.asked == ["/subjects/a%2Fb%20c", "/subjects/a%2Fb%20c/versions"]


@pytest.mark.parametrize(
    "url",
    [
        *("registry:8081", "ftp://registry", "http://", "http://[", "http://registry:abc"),
        *("http://registry:65536", "http://me:sesame@registry"),
    ],
)
def test_what_is_no_address_is_told_without_a_password(url):
    with pytest.raises(UsageError) as caught:
        Registry(url)
    assert "such as https://" in str(caught.value)
    assert "sesame" not in str(caught.value)


def test_a_password_does_not_travel_in_the_clear():
    with pytest.raises(UsageError, match="use https"):
        Registry("http://registry.example.org:8081", "team:sesame")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_on_this_machine_it_may(host):
    Registry(f"http://{host}:8081", "team:sesame")


def test_no_proxy_sees_the_password(schema_registry, monkeypatch):
    schema_registry.login = "team:sesame"
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    with serving(RegistryServer()) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        told = Registry(schema_registry.url, "team:sesame").register("a", {})
    assert told.outcome == "registered"
    assert proxy.asked == []


class _Elsewhere(BaseHTTPRequestHandler):
    def do_POST(self):
        if self.path == "/subjects/moved":
            self.send_response(302)
            self.send_header("location", "/subjects/elsewhere")
        else:
            self.send_response(200)
        self.end_headers()
        self.wfile.write(b"" if self.path == "/subjects/moved" else b"<html>")

    def log_message(self, *args):
        pass


@pytest.mark.parametrize(
    ("subject", "said"), [("moved", "302"), ("page", "no schema registry at http://127.0.0.1")]
)
def test_another_service_is_told(subject, said):
    server = HTTPServer(("127.0.0.1", 0), _Elsewhere)
    with serving(server), pytest.raises(RegistryError, match=said):
        Registry(f"http://127.0.0.1:{server.server_port}").register(subject, {})


class _Answer(socketserver.StreamRequestHandler):
    """The same bytes to whatever is asked."""

    server: _AnswerServer

    def handle(self):
        length = 0
        while line := self.rfile.readline().strip().lower():
            length = int(line.partition(b":")[2]) if line.startswith(b"content-length") else length
        self.rfile.read(length)
        self.wfile.write(self.server.answer)


class _AnswerServer(socketserver.TCPServer):
    def __init__(self, answer):
        super().__init__(("127.0.0.1", 0), _Answer)
        self.answer = answer
        self.url = f"http://127.0.0.1:{self.server_address[1]}"


def of_json(text, length=None):
    return b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (length or len(text), text)


@pytest.mark.parametrize(
    "answer",
    [
        b"220 mail.example.org ESMTP\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nff\r\n{",
        b"HTTP/1.1 500 No\r\ntransfer-encoding: chunked\r\n\r\nff\r\n{",
        of_json(b"{}"),
        of_json(b"{}", length=20),
        of_json(b'{"version": null}'),
        of_json(b"[" * 100_000),
    ],
    ids=["mail", "cut off", "cut off error", "empty", "short", "no number", "deep"],
)
def test_what_is_no_answer_of_a_registry_is_told(answer):
    with (
        serving(_AnswerServer(answer)) as server,
        pytest.raises(RegistryError, match=re.escape(server.url)),
    ):
        Registry(server.url).register("a", {})


def test_nobody_there_is_told(spare_ports):
    (port,) = spare_ports(1)
    with pytest.raises(RegistryError, match=rf"no schema registry at http://127.0.0.1:{port}: "):
        Registry(f"http://127.0.0.1:{port}").register("a", {})

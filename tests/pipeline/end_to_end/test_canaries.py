"""Secrets that are planted wherever one may stand, and found nowhere that anybody reads."""

from __future__ import annotations

import json
import logging
import os
import signal
import socket
import socketserver
import ssl
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, suppress
from glob import glob
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import quote

import av
import pytest

from pipeline.cli import main
from pipeline.errors import NoDatabase
from pipeline.sinks.uri import open_reader
from tests.authority import Authority
from tests.pipeline.end_to_end.canary import canary, tracks
from tests.serving import serving

ROOT = Path(__file__).parents[3]
CAMERAS = (  # what a camera does -> the name of its canary, too
    *("refused", "denied", "missing", "nowhere", "untrusted", "redirected", "garbage", "echo"),
    *("playlist", "silent", "turned", "fine"),
)
OPERATOR = "tests.pipeline.end_to_end.canary:Telltale"
NAMES = (*CAMERAS, "ticket", "sasl", "token", "environ")


class Telling(BaseHTTPRequestHandler):
    """Answers with all that it was asked, wherever an answer has room for it."""

    clip = b""

    def do_GET(self) -> None:
        what = self.path.partition("?")[0].strip("/")
        told = f"{self.path} {self.headers.get('Authorization')}"
        if what == "fine":
            self._answer(200, "OK", self.clip)
        elif what == "garbage":
            self._answer(200, "OK", told.encode() * 1000)
        elif what == "playlist":
            variants = f"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nhttp://elsewhere.example/{told}\n"
            self._answer(200, "OK", variants.encode())
        elif what == "redirected":
            self._answer(302, "Found", b"", Location=f"http://elsewhere.example/{quote(told)}")
        elif what == "echo":
            self.wfile.write(f"{told}\r\n\r\n".encode())
        else:
            self._answer(401 if what == "denied" else 404, told, told.encode())

    def _answer(self, code: int, reason: str, body: bytes, **headers: str) -> None:
        self.send_response(code, reason)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None: ...


class Turned(socketserver.StreamRequestHandler):
    """A camera that refuses over RTSP, and says what it was asked."""

    def handle(self) -> None:
        while lines := list(iter(lambda: self.rfile.readline().strip(), b"")):
            number = next((one for one in lines if one.lower().startswith(b"cseq")), b"CSeq: 1")
            told = b" ".join(lines)
            self.wfile.write(b"RTSP/1.0 401 " + told + b"\r\n" + number + b"\r\n")
            self.wfile.write(b'WWW-Authenticate: Basic realm="' + told[:80] + b'"\r\n\r\n')


@pytest.fixture
def world(tmp_path: Path) -> Iterator[dict[str, str]]:
    """Camera -> its address, with user and password."""
    clip = tmp_path / "clip.ts"
    with av.open(str(clip), "w") as container:
        stream = container.add_stream("mpeg2video", rate=5)
        stream.width, stream.height = 64, 64
        for _ in range(5):
            container.mux(stream.encode(av.VideoFrame(64, 64, "yuv420p")))
        container.mux(stream.encode(None))
    handler = type("Handler", (Telling,), {"clip": clip.read_bytes()})
    stranger = Authority(tmp_path / "authority").certify("node")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(stranger.crt, stranger.key)
    with ExitStack() as stack:
        ports = {}
        for name, kind in (("http", handler), ("untrusted", handler), ("turned", Turned)):
            base = socketserver.ThreadingTCPServer if name == "turned" else ThreadingHTTPServer
            server = base(("127.0.0.1", 0), kind)
            server.daemon_threads = True
            if name == "untrusted":
                server.socket = tls.wrap_socket(server.socket, server_side=True)
            ports[name] = stack.enter_context(serving(server)).server_address[1]
        silent = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        ports["silent"] = silent.getsockname()[1]
        yield {name: _address(name, ports) for name in CAMERAS}


@pytest.fixture
def ray() -> Iterator[Path]:
    """Where Ray keeps its session; a short path, as its sockets want it."""
    with TemporaryDirectory(prefix="dr", dir="/tmp", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def _address(name: str, ports: dict[str, int]) -> str:
    scheme = {"untrusted": "https", "refused": "rtsp", "turned": "rtsp", "nowhere": "rtsp"}
    port = {"refused": 9, "nowhere": 554}.get(name, ports.get(name, ports["http"]))
    host = "no-such-camera.invalid" if name == "nowhere" else "localhost"
    ticket = quote(canary("ticket"), safe="")
    login = f"viewer:{quote(canary(name), safe='')}"
    return f"{scheme.get(name, 'http')}://{login}@{host}:{port}/{name}?token={ticket}"


class Watched:
    """`dinostream run` over all cameras, and all that can be seen of it."""

    def __init__(
        self, folder: Path, ray: Path, world: dict[str, str], runtime: str, port: int
    ) -> None:
        self.sink = f"sqlite:{folder}/out.db"
        self.seen: dict[str, bytes] = {}
        self._ray = ray
        self._folder, self._port = folder, port
        streams = {name: {"url": url} for name, url in world.items()}
        streams["silent"]["url"] = "${SILENT_CANARY_URL}"
        config = {
            "streams": streams,
            "sink": self.sink,
            "operators": {OPERATOR: {}},
            "weights": "random",
            "model": "dinov2_vitti14",
            "short_side": 28,
            "stall_s": 600,
            "drain_s": 1,
            "runtime": runtime,
        }
        (folder / "run.yaml").write_text(json.dumps(config))
        self.environ = {
            "SILENT_CANARY_URL": world["silent"],
            "CANARY_PASSWORD": canary("environ"),
            "DINOSTREAM_TOKEN": quote(canary("token"), safe=""),
        }
        words = ["--log-level", "debug", "run", str(folder / "run.yaml")]
        with (folder / "log").open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "pipeline", *words, "--listen", f"127.0.0.1:{port}"],
                stdout=log,
                stderr=log,
                cwd=ROOT,
                env=os.environ | self.environ | {"RAY_TMPDIR": str(ray)},
            )

    def ask(self, path: str, body: Any = None, *, token: str | None = None) -> None:
        """What the service answers is seen; by default with the right token."""
        token = self.environ["DINOSTREAM_TOKEN"] if token is None else token
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        address = f"http://127.0.0.1:{self._port}{path}"
        request = urllib.request.Request(address, data, headers, method="PUT" if data else "GET")
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                self.seen[f"{path} {answer.status}"] = answer.read()
        except urllib.error.HTTPError as error:
            with error:
                self.seen[f"{path} {error.code}"] = error.read() + str(error.headers).encode()

    def told(self) -> set[str]:
        """Cameras that an event has told the trouble of, and `fine` where a frame has failed."""
        try:
            with closing(open_reader(self.sink)) as reader:
                records = [one.message for one in reader.records(["events", "deadletter"])]
        except NoDatabase:
            return set()
        return {
            one.key
            for one in records
            if one.topic == "deadletter"
            or b'"disconnected"' in one.value
            or b'"crashed"' in one.value
        }

    def look(self, when: str, processes: Mapping[int, str]) -> list[int]:
        """At these processes, and all that lies there. Gives those that decode, which know no more
        than their own address."""
        decoding = [pid for pid, title in processes.items() if "pipeline.decode.child" in title]
        self.seen[f"{when}, command lines"] = "\n".join(processes.values()).encode()
        paths = [Path(f"/proc/{pid}/environ") for pid in decoding]
        paths += [
            *self._folder.iterdir(),
            *map(Path, glob(f"{self._ray}/**", recursive=True, include_hidden=True)),
        ]
        for path in paths:
            with suppress(OSError):  # it is a folder, a socket, or gone
                if path.name != "run.yaml":
                    self.seen[f"{when}, {path}"] = path.read_bytes()
        return decoding


def leaks(seen: dict[str, bytes]) -> list[str]:
    """Where a canary is found, and around it what was to be seen."""
    found = []
    for name in NAMES:
        for track in map(str.encode, tracks(name)):
            for where, text in seen.items():
                if (place := text.find(track)) >= 0:
                    found.append(f"{name} in {where}: {text[max(0, place - 80) : place + 80]!r}")
    return found


@pytest.mark.parametrize("runtime", ["inline", "ray"])
def test_a_run_in_trouble_shows_no_secret(tmp_path, ray, world, runtime, spare_ports, tools):
    (port,) = spare_ports(1)
    run = Watched(tmp_path, ray, world, runtime, port)
    try:
        tools.wait_until(lambda: {*CAMERAS} - {"silent"} <= run.told(), run.process)
        decoding = run.look("meanwhile", tools.descendants(run.process.pid))
        assert run.seen[f"meanwhile, /proc/{decoding[0]}/environ"]
        os.kill(decoding[0], signal.SIGKILL)
        for path in ("/metrics", "/v1/streams", "/v1/streams/denied", "/readyz", "/v1/none"):
            run.ask(path)
        run.ask("/v1/streams", token="wrong")
        for url in (world["denied"].replace("http", "gopher"), f"rtsp://me:{canary('fine')}@"):
            run.ask("/v1/streams/new", {"url": url})
            run.ask("/v1/streams/new", {"url": [url], "rul": url})
    finally:
        run.process.terminate()
        run.process.wait()
    run.look("afterwards", {})
    assert run.process.returncode == 0, (tmp_path / "log").read_text()
    assert b"telltale" in run.seen[f"afterwards, {tmp_path}/out.db"]
    assert any(str(ray) in name for name in run.seen) is (runtime == "ray")
    assert leaks(run.seen) == []
    hidden = {"the configuration": (tmp_path / "run.yaml").read_bytes()}
    assert len(leaks(hidden)) >= 2 * len(CAMERAS)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["run", "{config}", "--print-config"], 0),
        (["run", "{config}", "--set", "streams.refused=1"], 2),
        (["run", "{config}", "--set", "sink.settings.sasl_plain_pasword={sasl}"], 2),
        (["run", "{config}", "--set", "sink.settings.ssl_certfile={sasl}"], 2),
        (["run", "{config}", "--set", "sink.settings.attempt_s={sasl}"], 2),
        (["run", "{config}", "--log-level", "{sasl}"], 2),
        (["replay", "x.mp4", "--config", "{config}"], 2),
        (["replay", "{denied}", "--runtime", "inline"], 2),
        (["tail", "{away}", "--config", "{config}"], 1),
        (["topics", "list", "{away}", "--config", "{config}"], 1),
        (["audit", "{away}", "--config", "{config}"], 1),
        (["run", "--help"], 0),
    ],
    ids=lambda words: " ".join(words) if isinstance(words, list) else "",
)
def test_commands_show_no_secret(tmp_path, world, capsys, caplog, words, code):
    """An answer that is none, from who takes connections and hangs up, is the broker of them."""

    class Rude(socketserver.BaseRequestHandler):
        def handle(self) -> None: ...

    with serving(socketserver.ThreadingTCPServer(("127.0.0.1", 0), Rude)) as broker:
        login = {"sasl_mechanism": "PLAIN", "sasl_plain_username": "me"}
        settings = {"security_protocol": "SASL_PLAINTEXT", "attempt_s": 1, **login}
        settings["sasl_plain_password"] = canary("sasl")
        address = f"kafka://127.0.0.1:{broker.server_address[1]}"
        streams = {name: {"url": url} for name, url in world.items()}
        values = {"streams": streams, "sink": {"uri": address, "settings": settings}}
        config = tmp_path / "run.yaml"
        config.write_text(json.dumps(values))
        given = {"config": config, "sasl": json.dumps(canary("sasl")), "away": address, **world}
        with caplog.at_level(logging.DEBUG):
            ended = main([word.format(**given) for word in words])
    told = capsys.readouterr()
    assert ended == code, told
    assert told.out + told.err
    seen = {"out": told.out, "err": told.err, "log": caplog.text}
    assert leaks({name: text.encode() for name, text in seen.items()}) == []

"""Builders of real messages and progress, a real Kafka broker, and a server of playlists."""

from __future__ import annotations

import fcntl
import gc
import json
import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from fractions import Fraction
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft7Validator
from referencing import Registry, Resource

from operators.frames import FrameInfo
from operators.operator import Operator
from operators.result import JSON, Result, canonical_json
from pipeline.message import Publisher
from pipeline.progress import Progress
from pipeline.sinks.sink import Message

if TYPE_CHECKING:
    from operators.frames import Features

VARIANT = "0123456789ab"
MODEL = "dinov2_vits14-b938bf1bc15c"
SCHEMAS = Path(__file__).parents[2] / "pipeline" / "schemas"
SCRIPT = Path(__file__).parents[2] / "deploy" / "kafka" / "broker.sh"


class Silent(Operator):
    """An operator only for its name and whether it was trained."""

    name = "action"

    def __call__(self, features: Features) -> list[Result]:
        return []


def frame_info(number: int = 0, stream: str = "cam1", **more: Any) -> FrameInfo:
    facts: dict[str, Any] = {
        "stream": stream,
        "session": "a1b2c3d4e5f6",
        "position": str(number * 3000),
        "pts": number * 3000,
        "time_base": Fraction(1, 90000),
        "event_time_us": number * 33_333,
        "ingest_time_us": 1_700_000_000_000_000,
        "source_hw": (360, 640),
    }
    return FrameInfo(**(facts | more))


def message(
    number: int = 0,
    stream: str = "cam1",
    *,
    topic: str = "action",
    data: bytes | None = None,
    **info: Any,
) -> Message:
    """The record of one frame, as a run would build it."""
    value = canonical_json({"number": number}) if data is None else data
    result = Result(frame_info(number, stream, **info), topic, JSON, value)
    return Publisher(stream, "feedfacecafe", MODEL).record(result, VARIANT, Silent())


def after(progress: Progress, **changes: Any) -> Progress:
    """The progress that the next commit of the stream would write."""
    return replace(progress, sequence=progress.sequence + 1, **changes)


class Build:
    """What tests build records with."""

    info = staticmethod(frame_info)
    message = staticmethod(message)
    after = staticmethod(after)
    variant = VARIANT
    model = MODEL
    operator: Callable[[], Operator] = Silent


@pytest.fixture(scope="session")
def build() -> type[Build]:
    return Build


@pytest.fixture(scope="session")
def described() -> Callable[[Message], None]:
    """Holds a message to the published schemas of its topic."""
    schemas = {path.name: json.loads(path.read_text()) for path in SCHEMAS.glob("*.json")}
    registry: Registry[Any] = Registry().with_resources(
        (schema["$id"], Resource.from_contents(schema)) for schema in schemas.values()
    )

    def check(name: str, value: Any) -> None:
        formats = Draft7Validator.FORMAT_CHECKER
        Draft7Validator(schemas[name], registry=registry, format_checker=formats).validate(value)

    def described(message: Message) -> None:
        check(f"{message.topic}.attributes.v1.json", dict(message.headers))
        known = schemas["attributes.v1.json"]["properties"]
        own = schemas[f"{message.topic}.attributes.v1.json"]["properties"]
        assert set(message.headers) <= known.keys() | own.keys()
        if message.headers["content-type"] == JSON:
            check(f"{message.topic}.v1.json", json.loads(message.value))

    return described


class Broker:
    """One Kafka node, run by the script that users run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def start(self, *settings: str) -> None:
        port = self.port if (self.folder / "port").exists() else "0"
        command = [SCRIPT, "start", str(self.folder), port, *settings]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr

    def stop(self) -> None:
        subprocess.run([SCRIPT, "stop", str(self.folder)], check=True, stdout=subprocess.DEVNULL)

    @property
    def port(self) -> str:
        return (self.folder / "port").read_text().strip()

    @property
    def server(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def uri(self) -> str:
        return f"kafka://{self.server}"

    def kill(self) -> None:
        self.signal(signal.SIGKILL)
        while not subprocess.run([SCRIPT, "status", self.folder], capture_output=True).returncode:
            pass

    def signal(self, number: signal.Signals) -> None:
        os.kill(int((self.folder / "pid").read_text()), number)


@pytest.fixture(scope="session")
def kafka_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A broker for all tests of a run, in all workers: the first starts it, the last stops it.

    Use a topic prefix of your own (`kafka_uri`), and leave the broker as it is.
    """
    _require_kafka()
    base = tmp_path_factory.getbasetemp()
    root = base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base
    broker = Broker(root / "kafka")
    with _users(root, +1):
        broker.start()
    yield broker
    with _users(root, -1) as left:
        if not left:
            broker.stop()


@pytest.fixture
def kafka_uri(kafka_broker: Broker, request: pytest.FixtureRequest) -> str:
    """A sink of this test's own on the shared broker."""
    prefix = f"{request.node.name[:60]}.{os.getpid()}".translate(str.maketrans("[]/: ", "-----"))
    return f"{kafka_broker.uri}?topic_prefix={prefix}"


@pytest.fixture
def own_broker(tmp_path: Path) -> Iterator[Broker]:
    """A broker that a test may freeze, kill and start again; not started yet."""
    _require_kafka()
    broker = Broker(tmp_path / "kafka")
    yield broker
    if (broker.folder / "pid").exists():
        broker.signal(signal.SIGCONT)
    broker.stop()
    gc.collect()  # what clients leave is warned of here, and not in some later test


def _require_kafka() -> None:
    """Without Java and Maven: a failure where a broker is required, else a skip."""
    missing = [tool for tool in ("java", "mvn") if not shutil.which(tool)]
    if missing:
        reason = f"no real Kafka broker without {' and '.join(missing)}"
        (pytest.fail if os.environ.get("REQUIRE_KAFKA") == "1" else pytest.skip)(reason)


@contextmanager
def _users(root: Path, change: int) -> Iterator[int]:
    """How many workers use the broker, from now on; others wait while the block runs."""
    with (root / "kafka.lock").open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        left = int(file.read() or 0) + change
        yield left
        file.seek(0)
        file.truncate()
        file.write(str(left))


class _Shelf(BaseHTTPRequestHandler):
    """Gives what the server holds under a path, in parts where that is asked for."""

    server: PlaylistServer

    def do_GET(self) -> None:
        name = self.path.lstrip("/")
        self.server.asked.append(name)
        data = self.server.files.get(name)
        if data is None:
            self.send_error(404)
            return
        begin, end = 0, len(data)
        if part := self.headers.get("Range"):
            first, _, last = part.removeprefix("bytes=").partition("-")
            begin, end = int(first), min(int(last or end - 1) + 1, end)
        self.send_response(206 if part else 200)
        if part:
            self.send_header("Content-Range", f"bytes {begin}-{end - 1}/{len(data)}")
        self.send_header("Content-Length", str(end - begin))
        self.end_headers()
        self.wfile.write(data[begin:end])

    def log_message(self, *args: object) -> None:
        pass


class PlaylistServer(ThreadingHTTPServer):
    """One loopback server whose files a test changes as it goes.

    Attributes:
        files: what lies where.
        asked: every request so far.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Shelf)
        self.files: dict[str, bytes] = {}
        self.asked: list[str] = []
        self.url = f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, *args: object) -> None:
        """A client that closes early is no news."""

    def play(
        self,
        *lines: str,
        name: str = "list.m3u8",
        first: int = 0,
        ended: bool = False,
        s: float = 1,
    ) -> str:
        """Put a playlist there: a line is a segment's name, or a tag. Returns its URL."""
        text = ["#EXTM3U", f"#EXT-X-TARGETDURATION:{s:g}", f"#EXT-X-MEDIA-SEQUENCE:{first}"]
        for line in lines:
            text += [line] if line.startswith("#") else [f"#EXTINF:{s:g},", line]
        self.files[name] = "\n".join([*text, *["#EXT-X-ENDLIST"] * ended, ""]).encode()
        return f"{self.url}/{name}"


@pytest.fixture
def playlists() -> Iterator[PlaylistServer]:
    with PlaylistServer() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server
        server.shutdown()
        thread.join()

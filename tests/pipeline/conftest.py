"""Builders of real messages and progress, and a server of playlists."""

from __future__ import annotations

import json
import threading
from collections import ChainMap
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pytest
from jsonschema import Draft7Validator
from referencing import Registry, Resource

from operators.format import BUILT_IN, JSON, Format
from operators.frames import FrameInfo
from operators.operator import Operator
from operators.result import Result, canonical_json
from pipeline.records.message import Publisher
from pipeline.records.record import Message
from pipeline.stream.progress import Progress

if TYPE_CHECKING:
    from operators.frames import Features

VARIANT = "0123456789ab"
MODEL = "dinov2_vits14-b938bf1bc15c"
SCHEMAS = Path(__file__).parents[2] / "pipeline" / "schemas"


class Silent(Operator):
    """An operator only for its name, whether it was trained, and what is in its topics."""

    name = "action"
    topics = MappingProxyType(ChainMap({"mood": Format()}, *BUILT_IN.values()))

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
    content_type = Silent.topics[topic].content_type
    result = Result(frame_info(number, stream, **info), topic, content_type, value)
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


class _Shelf(BaseHTTPRequestHandler):
    """Gives what the server holds under a path, in parts where that is asked for."""

    server: PlaylistServer

    def do_GET(self) -> None:
        name = unquote(self.path.lstrip("/"))
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
        self.wfile.write(data[begin:end][: self.server.cuts.pop(name, None)])

    def log_message(self, *args: object) -> None:
        pass


class PlaylistServer(ThreadingHTTPServer):
    """One loopback server whose files a test changes as it goes.

    Attributes:
        files: what lies where.
        asked: every request so far.
        cuts: after how many bytes the line breaks at the next request for a name.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Shelf)
        self.files: dict[str, bytes] = {}
        self.asked: list[str] = []
        self.cuts: dict[str, int] = {}
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

"""Builders of real messages and progress, a server of playlists, and small clips and pictures of a
few kinds with a tiny backbone to look at them."""

from __future__ import annotations

import json
from collections import ChainMap
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import numpy as np
import pytest
from jsonschema import Draft7Validator
from numpy.typing import NDArray
from PIL import Image
from referencing import Registry, Resource

from operators.format import BUILT_IN, JSON, Format
from operators.frames import FrameInfo
from operators.operator import Operator
from operators.result import Result, canonical_json
from pipeline.records.message import Publisher
from pipeline.records.record import Message
from pipeline.stream.progress import Progress
from tests.serving import serving

if TYPE_CHECKING:
    from operators.backbones.backbone import Backbone
    from operators.frames import Features
    from pipeline.features.store import FeatureStore
    from pipeline.vectors.pool import Pool

VARIANT = "0123456789ab"
MODEL = "dinov2_vits14-b938bf1bc15c"
TINY = "dinov2_vitti14"
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


def pooled(vectors: NDArray[Any], streams: str | list[str] = "gate", every_s: float = 1.0) -> Pool:
    """Frames of a sink with these vectors `[N, D]`, so many seconds apart, in the pool's order."""
    from operators.groups.grid import unit_rows
    from pipeline.vectors.head import Head
    from pipeline.vectors.pool import Pool
    from pipeline.vectors.row import Row, Series

    names = [streams] * len(vectors) if isinstance(streams, str) else streams
    rows = [
        Row(Series(name, "a1b2c3d4e5f6", VARIANT), str(n), round(n * every_s * 1e6))
        for n, name in enumerate(names)
    ]
    order = sorted(range(len(rows)), key=lambda n: (names[n], rows[n].time_us))
    times_us = np.array([rows[n].time_us for n in order], np.int64)
    head = Head("sqlite:results.db", {}, MODEL, vectors.shape[1], len(vectors))
    return Pool(head, tuple(rows[n] for n in order), times_us, unit_rows(vectors[order]))


@pytest.fixture(scope="session", name="pooled")
def pooled_fixture() -> Callable[..., Pool]:
    """`pooled(vectors, ["gate", "yard", ...])`."""
    return pooled


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
    with serving(PlaylistServer()) as server:
        yield server


def painted(kind: str, number: int, step: int = 0) -> NDArray[np.uint8]:
    """A picture `[48, 64, 3]` of a kind: stripes that stand (`bars`) or lie (`rows`), grey, or grey
    that is `dark` or `bright`, which random weights tell apart."""
    draw = np.random.default_rng([number, step])
    low = {"dark": 5, "bright": 210}.get(kind, 90)
    picture = draw.integers(low, low + 40, (48, 64, 3))
    if kind == "bars":
        picture[:, (number + step) % 8 :: 8] = 250
    elif kind == "rows":
        picture[(number + step) % 8 :: 8] = 250
    return picture.astype(np.uint8)


@pytest.fixture(scope="session")
def small_clip() -> Callable[..., Path]:
    """`small_clip(path, "bars", number=3)`: 2 s at 10 frames/s for each kind, in order; `upright`
    ones are as high as the others are wide."""

    from pipeline.media.encode import write_clip

    def written(
        path: Path,
        *kinds: str,
        number: int = 0,
        frames: int = 20,
        fps: int = 10,
        upright: bool = False,
    ) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        pictures = (painted(kind, number, step) for kind in kinds for step in range(frames))
        if upright:
            pictures = (np.rot90(picture).copy() for picture in pictures)
        write_clip(path, pictures, fps=fps)
        return path

    return written


@pytest.fixture(scope="session")
def small_picture() -> Callable[..., Path]:
    """`small_picture(path, "bars", 3)`: a PNG."""

    def written(path: Path, kind: str, number: int = 0) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(painted(kind, number)).save(path)
        return path

    return written


@pytest.fixture(scope="session")
def tiny_backbone() -> Iterator[Backbone]:
    """The smallest model with random weights."""
    from pipeline.features.backbone import open_backbone

    backbone = open_backbone(TINY, "random", threads=2)
    yield backbone
    backbone.close()


@pytest.fixture
def store(tmp_path: Path, tiny_backbone: Backbone) -> Iterator[FeatureStore]:
    """An empty store."""
    from pipeline.features.store import FeatureStore

    store = FeatureStore(tmp_path / "features", tiny_backbone, short_side=28)
    yield store
    store.close()

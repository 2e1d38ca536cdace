"""A database with records such as cameras and recordings leave, written by the real sink."""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from operators.moment import rfc3339
from operators.png import grey16_png
from pipeline.records.commit import Commit
from pipeline.records.record import Message
from pipeline.sinks.sqlite.index import RecordIndex
from pipeline.sinks.sqlite.sink import SqliteSink
from pipeline.stream.progress import Progress
from pipeline.view.axes import Axes
from pipeline.view.series import Shelf

SECOND_US = 1_000_000
BEGAN_US = 1_795_000_000_000_000
CAMERA, RECORDING = str(BEGAN_US), "b1b2c3d4e5f6"
VARIANT = "0a1b2c3d4e5f"


class Book:
    """Writes records.

    Attributes:
        path: the database.
        now_us: when they are published.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.now_us = BEGAN_US
        self.sink = SqliteSink(path, clock_us=lambda: self.now_us)

    def frame(
        self,
        number: int,
        *,
        stream: str = "gate",
        topic: str = "depth",
        session: str = CAMERA,
        variant: str = VARIANT,
        time_us: int | None = None,
        value: bytes = b"",
        **attributes: str,
    ) -> Message:
        """A map of a frame; one every fifth of a second, from the session's beginning on."""
        began_us = int(session) if session.isdecimal() else 0
        at_us = began_us + number * SECOND_US // 5 if time_us is None else time_us
        headers = {
            "content-type": "image/png",
            "ce_id": f"{topic}/{stream}/{session}/{number}/{variant}",
            "ce_streamid": stream,
            "ce_session": session,
            "ce_variant": variant,
            "ce_time": rfc3339(at_us),
            "ce_ingesttime": rfc3339(max(at_us, BEGAN_US)),
            "ce_clock": "capture" if session.isdecimal() else "media",
            "ce_depthscale": "0.001",
            "ce_depthkind": "metric",
            "ce_sourcewidth": "64",
            "ce_sourceheight": "48",
            **{f"ce_{name}": text for name, text in attributes.items()},
        }
        return Message(topic, stream, headers, value or depth_png(number))

    def action(self, first: int, last: int, label: str, score: float = 0.5, **how: Any) -> Message:
        """A window of frames; without a label one that no threshold was reached in."""
        return self._of_frames("action", first, last, label and [label, score], **how)

    def episode(self, first: int, last: int, label: str, **how: Any) -> Message:
        """Some windows of one label."""
        return self._of_frames("action.episodes", first, last, [label, 0.75], **how)

    def event(
        self,
        kind: str,
        position: int | str = "",
        *,
        stream: str = "gate",
        session: str = CAMERA,
        at_us: int | None = None,
        **said: Any,
    ) -> Message:
        """At that frame, noticed then."""
        told = {"kind": kind, "stream": stream, "session": session, "position": str(position)}
        return self._told(
            "events",
            f"{position if position != '' else '-'}.{kind}",
            told | said,
            stream,
            session,
            at_us,
        )

    def dead_letter(self, number: int, **how: Any) -> Message:
        """Of a frame."""
        stream, session = how.get("stream", "gate"), how.get("session", CAMERA)
        told = {"operator": "depth", "error": "DinostreamError", "detail": "gives NaN"}
        message = self._told("deadletter", f"{number}.depth", told, stream, session, None)
        time = self.frame(number, stream=stream, session=session).headers["ce_time"]
        return Message("deadletter", stream, {**message.headers, "ce_time": time}, message.value)

    def write(self, *messages: Message) -> None:
        """Now."""
        self.sink.publish(messages)

    def stands(self, stream: str, **how: Any) -> None:
        """How far the stream's job is."""
        claimed = self.sink.claim({stream: "feedfacecafe"})
        if held := claimed.get(stream):
            how = {"session": CAMERA, "sequence": held.sequence + 1, **how}
            done = Progress("feedfacecafe", stream, epoch=held.epoch, **how)
            self.sink.commit([Commit([], done)])

    def _of_frames(self, topic: str, first: int, last: int, label: Any, **how: Any) -> Message:
        ends = [self.frame(one, topic=topic, **how) for one in (first, last)]
        span = {
            name: {"time": one.headers["ce_time"], "position": one.position}
            for name, one in zip(("start", "end"), ends, strict=True)
        }
        said: Mapping[str, Any] = {
            "labels": [{"id": 1, "name": label[0], "score": label[1]}] if label else []
        }
        if topic == "action.episodes":
            said = {"label": {"id": 1, "name": label[0]}, "peak": {"score": label[1]}}
        headers = {**ends[1].headers, "content-type": "application/json"}
        return Message(topic, ends[1].key, headers, json.dumps({**span, **said}).encode())

    def _told(
        self,
        topic: str,
        where: str,
        said: Mapping[str, Any],
        stream: str,
        session: str,
        at_us: int | None,
    ) -> Message:
        digest = f"{self.now_us % 10**9:x}"
        headers = {
            "content-type": "application/json",
            "ce_id": f"{topic}/{stream}/{session or '-'}/{where}.{digest}/feedfacecafe",
            "ce_streamid": stream,
            "ce_variant": "feedfacecafe",
            "ce_ingesttime": rfc3339(self.now_us if at_us is None else at_us),
            **({"ce_session": session} if session else {}),
        }
        return Message(topic, stream, headers, json.dumps(said).encode())


def depth_png(number: int) -> bytes:
    """Of a frame: two values that tell its number, and one that nobody knows."""
    steps = np.full((3, 4), 1000 + number % 60_000, np.uint16)
    steps[0, 0], steps[0, 1] = 0, 2000
    return grey16_png(steps)


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Book]:
    book = Book(tmp_path / "results.db")
    yield book
    book.sink.close()


@pytest.fixture
def index(book: Book) -> Iterator[RecordIndex]:
    index = RecordIndex(book.path)
    yield index
    index.close()


@pytest.fixture
def shelf(index: RecordIndex) -> Shelf:
    return Shelf(index)


@pytest.fixture
def axes(shelf: Shelf) -> Axes:
    return Axes(shelf)


STATIC = Path(__file__).parents[3] / "pipeline" / "view" / "static"


def node() -> str | None:
    """What runs JavaScript here: the system's, or the one that a browser's driver brings."""
    driver = importlib.util.find_spec("playwright")
    brought = Path(driver.origin).parent / "driver/node" if driver and driver.origin else None
    return shutil.which("node") or (str(brought) if brought and brought.exists() else None)


@pytest.fixture
def javascript(tmp_path: Path) -> Callable[[str, Any], Any]:
    """Runs a script beside the page's modules; it is `given` something, and `said` comes back."""
    runner = node()
    if runner is None:
        pytest.skip("there is no Node.js here, nor a browser's driver that has one")
    page = shutil.copytree(STATIC, tmp_path / "page")
    (page / "package.json").write_text('{"type": "module"}')

    def run(script: str, given: Any) -> Any:
        (page / "given.json").write_text(json.dumps(given))
        (page / "script.js").write_text(
            'import { readFileSync, writeFileSync } from "node:fs";\n'
            'const given = JSON.parse(readFileSync("given.json"));\nconst said = [];\n'
            f'{script}\nwriteFileSync("said.json", JSON.stringify(said));\n'
        )
        done = subprocess.run(
            [runner, "script.js"], cwd=page, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return json.loads((page / "said.json").read_text())

    return run

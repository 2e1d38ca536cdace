"""Records of every topic and operator as this code makes them, and how they lie in a corpus.

Footage that anybody can render again -> messages. A corpus is what one release made of it.
"""

from __future__ import annotations

import json
import tomllib
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import replace
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from operators.format import JSON
from operators.frames import FrameInfo
from pipeline.configuration.resolve import resolve
from pipeline.configuration.streams import stream_specs
from pipeline.media.encode import write_clip
from pipeline.records.mark import Mark, Place
from pipeline.records.message import Publisher, claim_message, progress_message
from pipeline.records.outage import Outage
from pipeline.records.pictured import PicturedPublisher
from pipeline.records.record import Message, Refused
from pipeline.runtime.inline import InlineRun
from pipeline.sinks.uri import open_reader
from pipeline.stream.chunk import CAUSES, End, Fault, Gap, Shot
from pipeline.stream.progress import Progress
from tests.pipeline.golden.walk import walked

FOLDER = Path(__file__).parent
ROOT = FOLDER.parents[2]
SCHEMAS = ROOT / "pipeline" / "schemas"
ALL_OF = ("events", "manifest", "labels", "tamper")  # of any other topic a run's first record

RENDERED = """
sources: ["synthetic:room?seed=1&seconds=2&fps=30&size=320x240"]
model: dinov2_vitti14
weights: random
short_side: 28
operators: {depth: {}, segmentation: {regions: 1, min_share: 0.1}, classify: {top: 2},
  action: {threshold: 0.3}, embedding: {}, pca: {}, frames: {},
  detect: {threshold: 0.4},
  tamper: {learn_s: 0.4, least_s: 0.2, share: 0}, anomaly: {threshold: 0}}
runtime: inline
"""
FILMED = """
streams:
  gate:
    url: gate.mp4
    region: [0, 0.5, 1, 1]
    zones: {dock: {polygon: [[0, 0], [1, 0], [1, 1], [0, 1]]}}
    alerts: {near: {zone: dock, nearest_below_m: 1000}}
weights: demo
short_side: 112
operators: {depth: {}, segmentation: {}, action: {threshold: 0.0}, embedding: {},
  frames: {blur: [sphere]}, zones: {classes: [wall], min_s: 0}}
start_time: 2026-11-22T17:00:00Z
runtime: inline
"""


def release() -> str:
    """The version that the sources are of, as its corpus is called: `2026.11`."""
    text = (ROOT / "pyproject.toml").read_text()
    version: str = tomllib.loads(text)["project"]["version"]
    return version.rpartition(".")[0]


def made_today(folder: Path) -> list[Message]:
    """Of two runs, a record of each topic and all events; and what no run says on purpose."""
    (folder / "room.yaml").write_text(RENDERED)
    (folder / "gate.yaml").write_text(FILMED.replace("gate.mp4", str(folder / "gate.mp4")))
    shades = np.random.default_rng(1).integers(0, 255, (12, 128, 224, 3), np.uint8)
    write_clip(folder / "gate.mp4", shades, fps=4)
    rendered, progress = _run(folder, "room")
    filmed, _ = _run(folder, "gate")
    runs = [*_few(rendered), *_few(filmed)]
    return [*runs, *walked(), *_incidents(), *_books(progress, next(_of(runs, "depth")))]


def schemas_today() -> dict[str, Any]:
    """By the names of their files."""
    return {path.stem: json.loads(path.read_text()) for path in sorted(SCHEMAS.glob("*.json"))}


def written(message: Message) -> str:
    """A line of a corpus."""
    text = message.headers["content-type"] == JSON
    value = message.value.decode() if text else b64encode(message.value).decode()
    said = {"topic": message.topic, "key": message.key, "headers": dict(message.headers)}
    return json.dumps(said | {"value" if text else "base64": value}, sort_keys=True)


def kept(version: str) -> list[Message]:
    """What a release made."""
    lines = map(json.loads, (FOLDER / version / "records.jsonl").read_text().splitlines())
    return [
        Message(
            one["topic"],
            one["key"],
            one["headers"],
            one["value"].encode() if "value" in one else b64decode(one["base64"]),
        )
        for one in lines
    ]


def _run(folder: Path, name: str) -> tuple[list[Message], Progress]:
    uri = f"sqlite:{folder / name}.db"
    config = resolve(folder / f"{name}.yaml", {"sink": uri})
    specs = stream_specs(config, live=False)
    InlineRun(config, specs, fresh=False, tell=lambda _: None).run()
    with closing(open_reader(uri)) as reader:
        (progress,) = reader.progress()
        return [record.message for record in reader.records()], progress


def _few(messages: list[Message]) -> Iterator[Message]:
    for topic in dict.fromkeys(message.topic for message in messages):
        yield from islice(_of(messages, topic), None if topic in ALL_OF else 1)


def _of(messages: Iterable[Message], topic: str) -> Iterator[Message]:
    return (message for message in messages if message.topic == topic)


def _incidents() -> Iterator[Message]:
    """Of a camera whose frames are traced, and of a recording that has no timestamps."""
    live = _info("1763830800000001", "6000+1", pts=None, clock="capture")
    recorded = _info("a1b2c3d4e5f6", "9000", pts=9000, region=(0, 120, 640, 360))
    black = np.zeros((4, 4, 3), np.uint8)
    for info in (live, recorded):
        publisher = PicturedPublisher(
            *("yard", "feedfacecafe", "dinov2_vits14-b938bf1bc15c", 1.0, lambda _: black),
            live=info is live,
        )
        progress = Progress("feedfacecafe", "yard", info.session, 1, 1, info.position)
        yield publisher.started(info)
        yield publisher.dead_letter(info, "depth", ValueError("nan"))
        yield publisher.unchanged(info, _unchanged(info), "0123456789ab")
        start = {"position": "3000", "time": "2025-11-22T16:59:58.000000Z"}
        yield publisher.shot(Shot(start, info, 60, "start"), "0123456789ab")
        outage = Outage(1_763_830_800_000_001, 190.25, 21, "refused", kept=12)
        yield publisher.outage(replace(outage, over=False), progress)
        yield publisher.outage(outage, progress)
        for entry in (
            Gap("yard", "reconnected"),
            *(Gap("yard", "dropped", 7, cause=cause) for cause in CAUSES),
            Fault("yard", "decode", "bad", 3),
            End("yard", "rejected", "no video"),
        ):
            yield from publisher.announce(
                entry, progress, {"depth": {"sampled": 5, "published": 5}}
            )


def _unchanged(info: FrameInfo) -> dict[str, Any]:
    start = {"position": "3000", "time": "2025-11-22T16:59:58.000000Z"}
    end = {"position": info.position, "time": "2025-11-22T17:00:00.500000Z"}
    ids = [f"depth/yard/{info.session}/0/ba9876543210"]
    operators = {"depth": {"frames": 2, "ids": ids}}
    return {"start": start, "end": end, "frames": 3, "repeats": start, "operators": operators}


def _info(session: str, position: str, **more: Any) -> FrameInfo:
    return FrameInfo(
        stream="yard",
        session=session,
        position=position,
        time_base=Fraction(1, 90000),
        event_time_us=1_763_830_800_500_000,
        ingest_time_us=1_763_830_801_000_000,
        source_hw=(240, 640),
        **more,
    )


def _books(progress: Progress, depth: Message) -> Iterator[Message]:
    """Of a stream, one record of which was too large for its topic."""
    publisher = Publisher(progress.stream, progress.job, depth.headers["ce_model"])
    yield publisher.too_large(depth, "depth", Refused("depth", depth.id, 9_000_000, 8_388_608))
    yield progress_message(progress)
    running = replace(progress, sequence=1, status="running")
    yield claim_message(Mark(running, "dinostream-5f0c1d2e3a4b", Place(3, 120)))

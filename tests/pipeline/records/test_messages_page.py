"""Records of a real run, opened as a consumer would, and docs/messages.md held to them."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import re
import sqlite3
from dataclasses import replace
from datetime import datetime, timedelta
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from operators.errors import DinostreamError
from operators.finite import require_finite
from operators.frames import FrameInfo
from operators.result import canonical_json
from operators.segmentation.labelsets import label_set
from pipeline.configuration.resolve import resolve
from pipeline.configuration.streams import stream_specs
from pipeline.engine.still import Still
from pipeline.records.lines import record_line
from pipeline.records.mark import Mark, Place
from pipeline.records.message import Publisher, claim_message, labels_message, progress_message
from pipeline.records.record import StoredRecord
from pipeline.records.series import digest
from pipeline.records.topics import TOPICS
from pipeline.runtime.inline import InlineRun
from pipeline.sinks.uri import open_reader, open_sink
from pipeline.stream.chunk import Shot
from pipeline.stream.gate import Gate
from pipeline.stream.spec import StreamSpec

PAGE = (Path(__file__).parents[3] / "docs" / "messages.md").read_text()
RUN = {"ingesttime", "epoch"}
COMPUTED = {"variant", "model", "size", "sha256", "digest"}  # by floating point, or of a version
COMPUTED |= {"offset"}  # of the records before: how many episodes a random head sees is rounding's


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", PAGE, flags=re.DOTALL)


LITERAL = {record["topic"]: record for record in map(json.loads, blocks("json"))}


@pytest.fixture(scope="module")
def sink(tmp_path_factory):
    """The run that the page tells of."""
    folder = tmp_path_factory.mktemp("page")
    uri = f"sqlite:{folder}/results.db"
    (folder / "run.yaml").write_text(*blocks("yaml"))
    config = resolve(folder / "run.yaml", {"sink": uri})
    specs = stream_specs(config, live=False)
    InlineRun(config, specs, fresh=False, tell=lambda _: None).run()
    return uri


@pytest.fixture(scope="module")
def records(sink):
    reader = open_reader(sink)
    yield list(reader.records())
    reader.close()


@pytest.fixture(scope="module")
def shown(sink, records):
    """Topic -> the record that the page shows, as this code makes it."""
    shown = {}
    for record in records:
        ended = b'"kind":"ended"' in record.message.value
        if record.message.topic != "events" or ended:
            shown.setdefault(record.message.topic, record)
    reader = open_reader(sink)
    (progress,) = reader.progress()
    reader.close()
    depth = shown["depth"].message.headers
    info = FrameInfo(
        *("room-1", depth["ce_session"], "12", 12, Fraction(1, 30), 400_000, 0, (240, 320))
    )
    first = replace(info, position="0", pts=0, event_time_us=0)
    publisher = Publisher("room-1", progress.job, depth["ce_model"])
    running = replace(progress, sequence=1, status="running")
    with pytest.raises(DinostreamError) as caught:
        require_finite(np.array([np.nan]), info, operator="depth")
    built = {
        "labels": labels_message("voc2012", label_set("voc2012").records()),
        "deadletter": publisher.dead_letter(info, "depth", caught.value),
        "unchanged": _unchanged(publisher, info, shown),
        "shots": publisher.shot(Shot(first.place, info, 13, "start"), "85862d998f84"),
        "lines.crossed": _crossing(shown["tracks"].message),
        "progress": progress_message(progress),
        "claims": claim_message(Mark(running, "dinostream-5f0c1d2e3a4b", Place(3, 120))),
    }
    for topic, message in built.items():
        shown[topic] = StoredRecord(message, timestamp_us=0, offset=1)
    return {topic: json.loads(record_line(record)) for topic, record in shown.items()}


def _unchanged(publisher, info, shown):
    """As a gated run would say it of the first five frames."""
    still = Still(StreamSpec("room-1", "x", True, gate=Gate()), [], {})
    first = replace(info, position="0", pts=0, event_time_us=0)
    still.see(first)
    for topic in ("depth", "embedding"):
        still.note(topic, "0", [shown[topic].message.id])
    for number in (6, 12):
        frame = replace(
            info, position=str(number), pts=number, event_time_us=number * 1_000_000 // 30
        )
        still.add(frame, ["depth", "embedding"])
    (message,) = still.end(publisher, 1)
    return message


def _crossing(tracks):
    """As a run with a line would say it of its first frame: whether things of a random head cross
    one is up to rounding."""
    variant = "5e7d3f0a9b12"
    first = json.loads(tracks.value)["tracks"][0]
    who = {name: first[name] for name in ("id", "label")}
    said = {"line": "gate", "direction": "in", **who, "total": {"in": 1, "out": 0}}
    headers = {name: one.replace("tracks", "lines.crossed") for name, one in tracks.headers.items()}
    place = headers["ce_id"].rpartition("/")[0]
    headers |= {"ce_id": f"{place}.gate.{first['id']}/{variant}", "ce_variant": variant}
    return replace(tracks, topic="lines.crossed", headers=headers, value=canonical_json(said))


@pytest.mark.slow
def test_every_record_is_as_the_schemas_say(records, described):
    for record in records:
        described(record.message)
    assert {record.message.topic for record in records} == set(TOPICS) - {
        "deadletter",
        "unchanged",
        "shots",
        "lines.crossed",
        "progress",
        "claims",
    }


@pytest.mark.slow
def test_maps_open_in_pillow(records):
    labels = {"ade20k": np.array([label.rgb for label in label_set("ade20k").labels], np.uint8)}
    kinds = set()
    for record in records:
        message = record.message
        if message.headers["content-type"] != "image/png":
            continue
        kinds.add(message.topic)
        picture = Image.open(io.BytesIO(message.value))
        cells = 1 if message.topic == "anomaly" else 4  # a side of a patch
        assert (picture.width, picture.height) == (3 * cells, 2 * cells)
        if message.topic == "anomaly":
            assert picture.mode == "I;16"
            assert np.asarray(picture).max() <= 20_000
        elif message.topic == "depth":
            assert picture.mode == "I;16"
            metres = np.asarray(picture) * float(message.headers["ce_depthscale"])
            assert (metres > 0).all()
            assert (metres <= 10).all()
        elif message.topic == "pca":
            assert picture.mode == "RGB"
        else:
            assert picture.mode == "P"
            ids, palette = np.asarray(picture), labels[message.headers["ce_labelset"]]
            assert (np.asarray(picture.convert("RGB")) == palette[ids]).all()
    assert kinds == {"depth", "segmentation", "pca", "anomaly"}


def test_vectors_open_in_numpy(records):
    vectors = [record.message for record in records if record.message.topic == "embedding"]
    assert len(vectors) == 10
    for message in vectors:
        vector = np.frombuffer(message.value, "<f4")
        assert len(vector) == int(message.headers["ce_dim"]) == 192
        assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-6)


def test_the_page_shows_one_record_of_each_topic(described):
    assert list(LITERAL) == list(TOPICS)
    table = re.findall(r"^\| `([a-z.]+)` \| ([a-z/-]+) \|", PAGE, flags=re.MULTILINE)
    assert dict(table) == {name: topic.format.content_type for name, topic in TOPICS.items()}


@pytest.mark.parametrize("topic", TOPICS)
def test_the_page_shows_what_the_code_makes(shown, topic):
    literal, real = LITERAL[topic], shown[topic]
    assert list(literal) == list(real)
    for name in literal.keys() - RUN - COMPUTED - {"id", "data"}:
        assert (name, literal[name]) == (name, real[name])
    parts = [one["id"].split("/")[:-1] for one in (literal, real)]
    if topic in ("deadletter", "manifest"):  # its digest is of a line's number, or of values
        parts = [[*part[:-1], part[-1].rpartition(".")[0]] for part in parts]
    if topic not in ("labels", "progress", "claims"):  # the last part of an id is the variant
        assert parts[0] == parts[1]
    if topic not in (
        "segmentation.summary",
        "zones",
    ):  # which classes a random head sees is up to rounding
        assert structure(literal["data"]) == structure(real["data"])


def test_the_records_of_the_page_are_of_one_run():
    by_operators = {name: one for name, one in LITERAL.items() if "untrained" in one}
    assert len({one["model"] for one in [*by_operators.values(), LITERAL["deadletter"]]}) == 1
    assert len({one["variant"] for one in by_operators.values()}) == len(by_operators)
    for record in by_operators.values():
        assert record["id"].endswith(f"/{record['variant']}")
    job = LITERAL["progress"]["data"]["job"]
    assert [LITERAL[topic]["variant"] for topic in ("events", "deadletter")] == [job, job]
    times = [datetime.fromisoformat(one["ingesttime"]) for one in by_operators.values()]
    assert max(times) - min(times) < timedelta(minutes=1)


def structure(value):
    """A value without what floating point decides."""
    if isinstance(value, dict):
        return {name: structure(one) for name, one in value.items() if name not in COMPUTED}
    if isinstance(value, list):
        return [structure(one) for one in value[:1]]
    return value if isinstance(value, str) and value.isalpha() else type(value).__name__


def test_the_examples_for_sqlite_run(sink, monkeypatch):
    path = Path(sink.removeprefix("sqlite:"))
    monkeypatch.chdir(path.parent)
    with contextlib.closing(sqlite3.connect(path)) as database:
        first, second = blocks("sql")[0].strip().rstrip(";").split(";")
        rows = database.execute(first).fetchall()
        assert [row[:2] for row in rows][:2] == [
            ("1970-01-01T00:00:00.000000Z", "room-1"),
            ("1970-01-01T00:00:00.200000Z", "room-1"),
        ]
        assert all(0 < median_m < 10 for *_, median_m in rows)
        assert ("embedding", 10, 10 * 192 * 4) in database.execute(second).fetchall()
    example, *_ = blocks("python")
    printed = _printed(example)
    assert printed.count("(8, 12)") == 10
    assert printed.count("embedding/room-1/") == 10


def test_the_digest_that_the_page_tells_is_what_manifests_have(records):
    scope = {"hashlib": hashlib}
    exec(blocks("python")[1], scope)  # the page's own function
    messages = [record.message for record in records]
    assert messages
    for message in messages:
        assert scope["digest"](dict(message.headers), message.value) == digest(message)
    (manifest,) = [json.loads(one.value) for one in messages if one.topic == "manifest"]
    for row in manifest["series"]:
        own = [digest(one) for one in messages if one.topic == row["topic"]]
        assert (len(own), f"{sum(own) % 2**128:032x}") == (row["records"], row["digest"])


@pytest.mark.slow
@pytest.mark.needs_kafka
def test_the_example_for_kafka_runs(records, kafka_uri, kafka_broker):
    sink = open_sink(kafka_uri)
    messages = [record.message for record in records]
    for _ in range(2):  # as after --fresh: the example takes each id once
        sink.publish(messages)
    sink.close()
    *_, example = blocks("python")
    prefix = kafka_uri.partition("topic_prefix=")[2]
    example = example.replace('"dinostream.depth', f'"{prefix}.depth')
    example = example.replace("localhost:9092", kafka_broker.server).replace("10_000", "2000")
    assert _printed(example).count("room-1") == 10


def _printed(code):
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        scope = {}
        exec(code, scope)  # the page's own example
        for name in ("database", "consumer"):
            if name in scope:
                scope[name].close()
    return out.getvalue()

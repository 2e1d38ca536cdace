"""The published schemas describe every topic, and every message that the builders make."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest
from jsonschema import Draft7Validator

from operators.result import JSON, Result
from operators.segmentation.labelsets import OFFICIAL, label_set
from pipeline.records.mark import Mark, Place
from pipeline.records.message import Publisher, claim_message, labels_message, progress_message
from pipeline.records.outage import Outage
from pipeline.records.record import Refused
from pipeline.records.topics import TOPICS
from pipeline.stream.chunk import CAUSES, End, Fault, Gap
from pipeline.stream.progress import Progress

FOLDER = Path(__file__).parents[3] / "pipeline" / "schemas"
SCHEMAS = {
    path.name[: -len(".json")]: json.loads(path.read_text()) for path in FOLDER.glob("*.json")
}


@pytest.mark.parametrize("name", SCHEMAS)
def test_schemas_are_valid_and_named_after_their_file(name):
    Draft7Validator.check_schema(SCHEMAS[name])
    assert SCHEMAS[name]["$id"] == f"urn:dinostream:schemas:{name}"


def test_every_topic_has_its_schemas_and_no_other_has():
    topics = {name.removesuffix(".attributes.v1") for name in SCHEMAS if "attributes" in name}
    assert topics - {"attributes.v1"} == set(TOPICS)
    assert {name.removesuffix(".v1") for name in SCHEMAS if "attributes" not in name} == set(TOPICS)
    for topic in TOPICS:
        assert TOPICS[topic].format.schema == SCHEMAS[f"{topic}.v1"]["$id"]
        own = SCHEMAS[f"{topic}.attributes.v1"]["properties"]
        assert own["content-type"] == {"const": TOPICS[topic].format.content_type}
        assert own["ce_dataschema"] == {"const": TOPICS[topic].format.schema}


@pytest.fixture
def publisher(build):
    return Publisher("cam1", "feedfacecafe", build.model)


@pytest.mark.parametrize(
    "entry",
    [
        Gap("cam1", "reconnected"),
        *(Gap("cam1", "dropped", 7, cause=cause) for cause in ("", *CAUSES)),
        Fault("cam1", "decode", "bad", 3),
        Fault("cam1", "stalled", ""),
        End("cam1", "ok"),
        End("cam1", "rejected", "no video"),
    ],
)
@pytest.mark.parametrize("position", ["", "9000", "9000+2"])
def test_events_are_as_described(publisher, described, entry, position):
    session = "a1b2c3d4e5f6" if position else ""
    progress = Progress("feedfacecafe", "cam1", session, position=position)
    (message,) = publisher.announce(entry, progress, {"depth": {"sampled": 5, "published": 5}})
    described(message)


def test_other_messages_are_as_described(publisher, build, described):
    live = build.info(2, session="1763830800000001", clock="capture", pts=None, position="6000+1")
    for info in (build.info(1), live):
        described(publisher.started(info))
        described(publisher.dead_letter(info, "depth", ValueError("nan")))
        record = build.message(3, pts=info.pts)
        refused = Refused("action", record.id, 9_000_000, 8_388_608)
        described(publisher.too_large(record, "action", refused))
        position = record.id.split("/")[3]
        part = record.id.replace(f"/{position}/", f"/{position}.dock.left/")
        one_of_several = replace(record, headers={**record.headers, "ce_id": part})
        letter = publisher.too_large(one_of_several, "zones", refused)
        described(letter)
        assert json.loads(letter.value)["position"] == position
    outage = Outage(1_763_830_800_000_001, 190.25, 21, "refused")
    for session in ("", "a1b2c3d4e5f6"):
        described(publisher.outage(outage, Progress("feedfacecafe", "cam1", session)))
    for name in OFFICIAL:
        described(labels_message(name, label_set(name).records()))
    cursor = {"part": 0, "pts": 9}
    progress = Progress(
        "feedfacecafe", "cam1", "a1b2c3d4e5f6", 1, 1, "9", cursor, {"action": "AA=="}
    )
    described(progress_message(progress))
    described(progress_message(Progress("feedfacecafe", "cam1")))
    described(claim_message(Mark(progress, "dinostream-5f0c1d2e3a4b", Place(3, 120))))
    described(claim_message(Mark(Progress("feedfacecafe", "cam1", status="ok"))))


def test_the_check_itself_finds_faults(publisher, build, described):
    good = publisher.started(build.info(1))
    for name, value in (("ce_pts", "1.5"), ("ce_time", "yesterday"), ("ce_variant", "x")):
        with pytest.raises(jsonschema.ValidationError):
            described(replace(good, headers=dict(good.headers) | {name: value}))
    with pytest.raises(jsonschema.ValidationError):
        described(replace(good, value=b'{"kind":"started"}'))
    result = Result(build.info(1), "action", JSON, b'{"labels":[]}')
    with pytest.raises(jsonschema.ValidationError):
        described(publisher.record(result, build.variant, build.operator()))

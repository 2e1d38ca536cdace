"""What earlier releases wrote and promised, held against this code: no old consumer is broken."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.records.topics import TOPICS
from pipeline.stream.chunk import CAUSES
from tests.pipeline.golden.compatibility import GROWS, broken, form, opened, unlike
from tests.pipeline.golden.corpus import FOLDER, kept, made_today, release, schemas_today
from tests.pipeline.golden.reading import holds, read

RELEASES = sorted(
    (path.name for path in FOLDER.iterdir() if (path / "records.jsonl").exists()),
    key=lambda name: [int(part) for part in name.split(".")],
)
NEWEST = RELEASES[-1]  # this one's, once that has kept its own
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def today(tmp_path_factory):
    return made_today(tmp_path_factory.mktemp("today"))


def lines(version, name):
    return [json.loads(line) for line in (FOLDER / version / name).read_text().splitlines()]


def test_this_release_has_kept_what_it_writes():
    assert release() in RELEASES, "python -m tests.pipeline.golden.keep, and commit the folder"


@pytest.mark.parametrize("version", RELEASES)
def test_a_corpus_has_every_topic_of_its_release(version):
    topics = {name.removesuffix(".v1") for name, _ in lines(version, "schemas.jsonl")}
    topics = {topic for topic in topics if not topic.endswith("attributes")}
    assert {message.topic for message in kept(version)} == topics
    assert version != release() or topics == set(TOPICS)


def test_a_corpus_of_today_has_every_cause_and_every_field_of_events(today):
    said = [json.loads(one.value) for one in today if one.topic == "events"]
    assert {one["cause"] for one in said if "cause" in one} == set(CAUSES)
    assert {"away", "outage"} <= {one["kind"] for one in said}
    assert set().union(*said) == set(schemas_today()["events.v1"]["properties"])


@pytest.mark.parametrize("version", RELEASES)
def test_the_client_reads_what_that_release_wrote_as_it_was_read_then(version, tmp_path):
    results = read(kept(version), tmp_path)
    expected = lines(version, "read.jsonl")
    assert len(results) == len(expected) > 40
    for then, now in zip(expected, results, strict=True):
        assert holds(then, now), (then, now)


@pytest.mark.parametrize("version", RELEASES)
def test_what_is_written_today_is_as_the_schemas_of_that_release_say(today, version):
    assert unlike(today, dict(lines(version, "schemas.jsonl"))) == []


@pytest.mark.parametrize("version", RELEASES)
def test_what_that_release_wrote_is_as_the_schemas_of_today_say(version):
    assert unlike(kept(version), schemas_today()) == []


@pytest.mark.parametrize("version", RELEASES)
def test_whatever_that_release_said_is_said_today(today, version):
    assert broken(kept(version), today) == []


def altered(messages, topic, alter):
    """The same, with each record of a topic altered."""
    return [alter(one) if one.topic == topic else one for one in messages]


def with_headers(change):
    return lambda one: replace(one, headers=change(dict(one.headers)))


def with_value(change):
    return lambda one: replace(one, value=json.dumps(change(json.loads(one.value))).encode())


def renamed(name, other):
    return lambda said: {other if key == name else key: value for key, value in said.items()}


def without(name):
    return lambda said: {key: value for key, value in said.items() if key != name}


def retyped(name, kind):
    return lambda said: said | {name: kind(said[name])}


def in_parts(identity, change):
    return with_headers(lambda said: said | {identity: change(said[identity])})


def other_png():
    return next(one.value for one in kept(NEWEST) if one.topic == "pca")


def counted_otherwise(said):
    for counters in said.get("operators", {}).values():
        counters["dropped_rain"] = 1
    return said


WHAT_BREAKS = {
    "an attribute that is required goes": ("depth", with_headers(without("ce_depthscale"))),
    "an attribute that is optional goes": ("depth", with_headers(without("ce_pts"))),
    "an attribute has another name": ("embedding", with_headers(renamed("ce_dim", "ce_width"))),
    "an attribute of a region goes": ("depth.summary", with_headers(without("ce_region"))),
    "a time has no zone": ("action", in_parts("ce_time", lambda text: text.rstrip("Z"))),
    "an id loses a part": ("depth", in_parts("ce_id", lambda text: text.rpartition("/")[0])),
    "an id has another order": ("pca", in_parts("ce_id", lambda text: text[::-1])),
    "a type is another one": ("classify", in_parts("ce_type", lambda text: text + "2")),
    "a source is another one": ("classify", in_parts("ce_source", lambda text: text + "/0")),
    "a key is another one": ("depth", lambda one: replace(one, key=one.key.upper())),
    "a field goes": ("depth.summary", with_value(without("grid"))),
    "a field has another name": ("action", with_value(renamed("partial", "cut"))),
    "a field has another type": ("action", with_value(retyped("frames", str))),
    "an optional field goes": ("events", with_value(without("cause"))),
    "a list is an object": ("labels", with_value(lambda said: dict(enumerate(said)))),
    "an enumeration has a new value": (
        "depth.summary",
        with_value(lambda said: said | {"unit": "ft"}),
    ),
    "a map is another kind of picture": ("depth", lambda one: replace(one, value=other_png())),
    "a vector is of another type": ("embedding", lambda one: replace(one, value=one.value * 2)),
    "a topic is silent": ("pca", lambda one: replace(one, topic="pictures")),
}


@pytest.mark.parametrize("change", WHAT_BREAKS)
def test_what_would_break_a_consumer_is_found(change):
    then = kept(NEWEST)
    now = altered(then, *WHAT_BREAKS[change])
    assert broken(then, now) + unlike(now, dict(lines(NEWEST, "schemas.jsonl")))


@pytest.mark.parametrize(
    ("topic", "alter"),
    [
        ("depth", with_headers(lambda said: said | {"ce_weather": "rain"})),
        ("depth.summary", with_value(lambda said: said | {"mode": 3.5})),
        ("depth", in_parts("ce_id", lambda text: text[:-12] + "0123456789ab")),
        ("events", with_value(counted_otherwise)),
        ("progress", with_value(without("cursor"))),
    ],
    ids=["an attribute more", "a field more", "another variant", "a counter more", "our own books"],
)
def test_what_breaks_nobody_is_let_pass(topic, alter):
    then = kept(NEWEST)
    now = altered(then, topic, alter)
    assert now != then
    assert broken(then, now) + unlike(now, dict(lines(NEWEST, "schemas.jsonl"))) == []


def test_events_for_new_reasons_break_nobody():
    then = kept(NEWEST)
    drop = next(one for one in then if b'"kind":"dropped"' in one.value)
    now = [*then, with_value(lambda said: said | {"cause": "rain"})(drop)]
    assert broken(then, now) + unlike(now, dict(lines(NEWEST, "schemas.jsonl"))) == []


@pytest.mark.parametrize(
    ("then", "now"),
    [({"a": 1}, {"b": 1}), ([1], [1, 2]), (1, 1.0), ("1", 1), ({"a": [None]}, {"a": [0]})],
)
def test_another_value_is_not_the_same(then, now):
    assert holds(then, then)
    assert not holds(then, now)


def test_forms_of_ids_say_what_is_in_which_place():
    assert form("depth/gate/a1b2c3d4e5f6/-9000+2/0123456789ab") == "depth/gate/H/P/H"
    assert form("events/cam-1/1763830800000001/9.ended.abcdef/0123456789ab") == (
        "events/cam-1/H/P.ended.D/H"
    )


def test_an_opened_schema_lets_pass_what_may_come():
    assert opened({"a": [{"additionalProperties": False}], "additionalProperties": {}}) == {
        "a": [{}],
        "additionalProperties": {},
    }
    assert opened({"$comment": GROWS, "enum": ["full"]}) == {"$comment": GROWS}
    assert opened({"enum": ["m", None]}) == {"enum": ["m", None]}


def test_a_release_is_kept_once(tmp_path, monkeypatch):
    from tests.pipeline.golden import keep

    monkeypatch.setattr(keep, "FOLDER", tmp_path)
    (tmp_path / release()).mkdir()
    with pytest.raises(SystemExit, match="stays as it was"):
        keep.main()
    assert list(Path(tmp_path / release()).iterdir()) == []

"""The AsyncAPI document says of every topic what records and brokers say."""

from __future__ import annotations

import json

import pytest
from jsonschema import Draft7Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT7

from operators.format import JSON
from pipeline.records.topics import TOPICS
from pipeline.schemas.asyncapi import document
from pipeline.version import version
from tests.pipeline.golden.corpus import kept, release


@pytest.fixture(scope="module")
def api():
    return document()


def at(api, reference):
    """What a reference leads to, which lies in the same document."""
    assert reference.startswith("#/")
    found = api
    for part in reference[2:].split("/"):
        found = found[part]
    return found


def references(value):
    if isinstance(value, dict):
        yield from (one for name, one in value.items() if name == "$ref")
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            yield from references(one)


def test_it_is_of_this_version_and_leads_nowhere_else(api):
    assert (api["asyncapi"], api["info"]["version"]) == ("3.0.0", version())
    found = list(references(api))
    assert len(found) > 6 * len(TOPICS)
    for reference in found:
        assert isinstance(at(api, reference), dict)


def test_every_topic_is_a_channel_that_is_sent_to(api):
    channels = {channel["address"]: channel for channel in api["channels"].values()}
    assert list(channels) == [f"{{prefix}}.{topic}" for topic in TOPICS]
    sent = [at(api, one["channel"]["$ref"]) for one in api["operations"].values()]
    assert sent == list(channels.values())
    assert {one["action"] for one in api["operations"].values()} == {"send"}


@pytest.mark.parametrize("topic", TOPICS.values(), ids=TOPICS)
def test_a_channel_is_as_its_topic_is_made(api, topic):
    (channel,) = [c for c in api["channels"].values() if c["address"].endswith(f"}}.{topic.name}")]
    assert at(api, channel["parameters"]["prefix"]["$ref"])["default"] == "dinostream"
    said = channel["bindings"]["kafka"]
    config = said["topicConfiguration"]
    plain = config | {"cleanup.policy": ",".join(config["cleanup.policy"])}
    assert {name: str(value) for name, value in plain.items()}.items() <= topic.config().items()
    assert said["partitions"] == topic.partitions
    (message,) = (at(api, one["$ref"]) for one in channel["messages"].values())
    assert message["name"] == f"dinostream.{topic.name}.v1"
    assert message["contentType"] == topic.format.content_type
    headers = at(api, message["headers"]["$ref"])
    assert headers["properties"]["ce_dataschema"] == {"const": topic.format.schema}


def test_records_are_as_it_says(api):
    registry = Registry().with_resource("urn:api", Resource(api, DRAFT7))
    messages = {one["name"]: one for one in api["components"]["messages"].values()}
    for record in kept(release()):
        said = messages[record.headers["ce_type"]]
        checked = [(said["headers"], dict(record.headers))]
        if record.headers["content-type"] == JSON:
            checked.append((said["payload"], json.loads(record.value)))
        for schema, value in checked:
            where = {"$ref": f"urn:api{schema['$ref']}"}
            Draft7Validator(where, registry=registry).validate(value)

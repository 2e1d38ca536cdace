"""What the formats make of a corpus is what it was: golden files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.cli.convert import FORMATS as OFFERED
from pipeline.convert.formats import FORMATS, converted
from pipeline.errors import UnreadableRecord

GOLDEN = Path(__file__).parent / "golden"


def test_the_command_offers_each_format():
    assert tuple(FORMATS) == OFFERED


@pytest.mark.parametrize("name", FORMATS)
def test_records_become_the_bytes_that_they_did(golden_results, name):
    form = FORMATS[name]
    messages = [one for result in golden_results for one in converted(result, name)]
    made = b"".join(form.on_its_own(message.value) for message in messages)
    assert made == (GOLDEN / name).read_bytes()
    assert len(messages) > 1


@pytest.mark.parametrize("name", FORMATS)
def test_no_id_is_there_twice_and_no_other_topic_counts(golden_results, name):
    messages = [one for result in golden_results for one in converted(result, name)]
    assert len({message.id for message in messages}) == len(messages)
    of_topics = [one for one in golden_results if one.topic in FORMATS[name].topics]
    assert [one for result in of_topics for one in converted(result, name)] == messages
    assert {message.headers["content-type"] for message in messages} == {FORMATS[name].content_type}


def without(name):
    return lambda result: replace(
        result,
        attributes={key: value for key, value in result.attributes.items() if key != name},
    )


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize(
    ("break_it", "said"),
    [
        (without("time"), "'time' is missing"),
        (without("streamid"), "'streamid' is missing"),
        (lambda result: renamed(result, "\ud800"), "surrogates not allowed"),
    ],
    ids=["no time", "no stream", "a name that is no text"],
)
def test_what_lacks_something_is_unreadable(summary, name, break_it, said):
    odd = break_it(summary({"person": [[0, 0, 4, 4]]}))
    with pytest.raises(UnreadableRecord, match=said):
        converted(odd, name)


def renamed(result, name):
    return replace(result, classes=tuple(replace(one, name=name) for one in result.classes))


@pytest.mark.parametrize("name", ["deepstream-minimal", "metropolis"])
@pytest.mark.parametrize("identity", ["mine", "a/b/c/d", "a/b/c/d/e/f"])
def test_an_id_of_another_form_has_no_position(summary, name, identity):
    with pytest.raises(UnreadableRecord, match=f"^{identity} cannot be converted"):
        converted(replace(summary({"floor": []}), id=identity), name)

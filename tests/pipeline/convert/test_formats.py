"""What the formats make of a corpus is what it was: golden files."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.cli.convert import FORMATS as OFFERED
from pipeline.convert.formats import FORMATS, converted

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

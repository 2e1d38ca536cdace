"""What topics hold: the built-in table, and what no format can be."""

from __future__ import annotations

import pytest

from operators.format import BUILT_IN, Format
from operators.registry import BUILDERS


def test_every_built_in_operator_has_its_own_topic_first():
    assert list(BUILT_IN) == list(BUILDERS)
    assert [next(iter(topics)) for topics in BUILT_IN.values()] == list(BUILT_IN)


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"content_type": "json"}, "a media type such as application/json, got 'json'"),
        ({"schema": "mood.v1.json"}, "a schema is a URI such as .*, got 'mood.v1.json'"),
        ({"schema": ""}, "a schema is a URI such as .*, got ''"),
    ],
)
def test_what_is_no_media_type_and_no_uri_is_refused(facts, said):
    with pytest.raises(ValueError, match=said):
        Format(**facts)

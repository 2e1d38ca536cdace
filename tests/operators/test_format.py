"""What topics hold: the built-in table, and what no format can be."""

from __future__ import annotations

import pytest

from operators.format import BUILT_IN, Format, operator_of
from operators.registry import BUILDERS


def test_every_built_in_operator_has_topics_of_its_own():
    assert list(BUILT_IN) == list(BUILDERS)
    assert [{operator_of(topic) for topic in own} for own in BUILT_IN.values()] == [
        {name} for name in BUILT_IN
    ]
    assert operator_of("mood.map") == "mood"  # a user's own


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

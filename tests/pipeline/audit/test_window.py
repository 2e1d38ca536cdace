"""What the end of what was played has cut short."""

import json

import pytest

from pipeline.audit.window import is_cut_short
from pipeline.records.record import Message

HEADERS = {"content-type": "application/json"}


@pytest.mark.parametrize(
    ("topic", "said", "expected"),
    [
        ("action", {"partial": True}, True),
        ("action", {"partial": False}, False),
        ("labels", [], False),
    ],
)
def test_windows_that_had_no_end_of_their_own(topic, said, expected):
    assert is_cut_short(Message(topic, "s", HEADERS, json.dumps(said).encode())) is expected


def test_a_picture_is_none():
    assert not is_cut_short(Message("depth", "s", {"content-type": "image/png"}, b"{}"))

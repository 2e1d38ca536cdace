"""Conditions that a person writes: what they hold of, and what they may not say."""

from __future__ import annotations

import pytest

from operators.errors import UsageError
from pipeline.records.condition import Condition

FACTS = {
    "streamid": "gate",
    "time": "2026-11-29T17:00:00.000000Z",
    "epoch": "12",
    "offset": 7,
    "data": {
        "unit": None,
        "partial": False,
        "percentiles": {"5": 1.5},
        "labels": [{"name": "person", "score": 0.9}, {"name": "dog", "score": 0.2}],
        "grid": [[1, 2], [3, 4]],
    },
}


@pytest.mark.parametrize(
    "text",
    [
        'streamid == "gate"',
        'streamid != "door" and not streamid == "yard"',
        'streamid in ["door", "gate"]',
        '"at" in streamid',
        'streamid not in ("door", "yard")',
        'time >= "2026-11-29T16" and time < "2026-11-29T18"',
        "epoch > 9",
        "epoch == 12",
        "0 < offset <= 7",
        "offset > -1",
        'data.percentiles["5"] < 2',
        "data.unit == None",
        "data.partial == False",
        "not data.partial",
        'data.labels.name == "dog"',
        '"dog" in data.labels.name',
        "data.labels.score > 0.5",
        'data.labels[0].name == "person"',
        'data.labels.name != "cat"',
        "data.grid[1][0] == 3",
        "data.grid == 4",
        "nothing == None",
        "nothing.at.all == None",
        'data.labels[9].name == None or streamid == "x"',
        "data",
    ],
)
def test_it_holds(text):
    assert Condition(text).holds(FACTS)


@pytest.mark.parametrize(
    "text",
    [
        'streamid == "door"',
        "epoch < 9",
        "streamid > 3",
        "nothing > 3",
        "nothing < 3",
        'data.labels.name == "cat"',
        'data.labels.name != "dog"',
        "data.labels.score > 0.95",
        "data.labels.size > 0",
        "streamid.upper",
        "offset in 7",
        "-streamid == 1",
        "nothing",
    ],
)
def test_it_does_not_hold(text):
    assert not Condition(text).holds(FACTS)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("streamid = 'gate'", "invalid syntax"),
        ("", "invalid syntax"),
        ("exit()", r"exit\(\) is not allowed"),
        ("data.__class__.__subclasses__()", "is not allowed"),
        ("[x for x in data]", "is not allowed"),
        ("lambda: 1", "is not allowed"),
        ("offset + 1 == 8", r"offset \+ 1 is not allowed"),
        ("data[1:2] == 3", "is not allowed"),
        ("(x := 3) == 3", "is not allowed"),
        ("streamid is None", "is not allowed"),
        ('f"{streamid}" == "gate"', "is not allowed"),
        ("streamid == b'gate'", "is not allowed"),
        ("2 ** 1000000 > 1", "is not allowed"),
        ("a" * 20_000, "20000 characters"),
        ("(" * 250 + ")" * 250, "nested"),
        ("a\0b", "null bytes"),
    ],
)
def test_what_it_may_not_say(text, told):
    with pytest.raises(UsageError, match=told) as refused:
        Condition(text)
    assert "Write one such as" in str(refused.value)


@pytest.mark.parametrize("text", ["-" * 498 + "a", "a" + ".b" * 249, "not " * 124 + "a"])
def test_the_longest_are_not_too_deep(text):
    Condition(text).holds(FACTS)


def test_values_have_no_attributes_of_python():
    assert not Condition("streamid.__class__").holds(FACTS)
    assert not Condition("data.keys").holds(FACTS)


def test_names_that_no_record_has_are_known():
    condition = Condition("streamd == 'gate' or epoch == 1 or nothing.at == 2")
    condition.holds({"id": "x"})
    assert condition.unmet == ["epoch", "nothing", "streamd"]
    condition.holds(FACTS)
    assert condition.unmet == ["nothing", "streamd"]

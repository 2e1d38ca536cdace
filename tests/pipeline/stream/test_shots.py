"""Rules of shots: what is one, and that it travels with its stream."""

import json

import pytest

from pipeline.stream.shots import ShotRule
from pipeline.stream.spec import StreamSpec


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"threshold": 1.0}, "above 1, got 1.0"),
        ({"threshold": float("inf")}, "above 1, got inf"),
        ({"min_s": -0.1}, "below 0, got -0.1"),
        ({"min_s": float("nan")}, "below 0, got nan"),
    ],
)
def test_what_is_no_rule_is_refused(wrong, told):
    with pytest.raises(ValueError, match=told):
        ShotRule(**wrong)


def test_equal_rules_have_one_text():
    assert ShotRule(4, 1).canonical() == ShotRule(4.0, 1.0).canonical()
    assert len({one.canonical() for one in (ShotRule(), ShotRule(4), ShotRule(min_s=1))}) == 3


def test_a_rule_travels_with_its_stream():
    spec = StreamSpec("s", "x.mp4", session="x", shots=ShotRule(4.5, 0.2))
    assert StreamSpec.from_json(json.loads(json.dumps(spec.to_json()))) == spec

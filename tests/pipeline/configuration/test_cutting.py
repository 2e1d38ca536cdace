"""What a configuration says of shots, and what of that decoding is told."""

import pytest

from operators.errors import UsageError
from pipeline.configuration.resolve import resolve
from pipeline.configuration.streams import stream_specs
from pipeline.stream.shots import ShotRule

NONE = object()


@pytest.fixture
def rule(tmp_path):
    """`rule(every, own)`: what a stream has, where both are said."""
    clip = tmp_path / "a.mp4"
    clip.write_bytes(b"a")

    def rule(every=NONE, own=NONE, **more):
        stream = {"url": str(clip)} | ({} if own is NONE else {"shots": own})
        said = {"streams": {"door": stream}} | ({} if every is NONE else {"shots": every}) | more
        (spec,) = stream_specs(resolve(None, said), live=False)
        return spec.shots

    return rule


@pytest.mark.parametrize(
    ("every", "own", "expected"),
    [
        (NONE, NONE, None),
        (True, NONE, ShotRule()),
        (False, NONE, None),
        (True, False, None),
        (False, True, ShotRule()),
        (NONE, {}, ShotRule()),
        ({"min_s": 2}, NONE, ShotRule(min_s=2)),
        ({"min_s": 2}, {"threshold": 5}, ShotRule(threshold=5)),
        ({"min_s": 2}, False, None),
    ],
)
def test_a_stream_says_it_itself_or_all_do(rule, every, own, expected):
    assert rule(every, own) == expected


def test_sources_without_a_name_have_what_all_have(tmp_path):
    (tmp_path / "a.mp4").write_bytes(b"a")
    said = {"sources": [str(tmp_path / "a.mp4")], "shots": {"threshold": 4}}
    (spec,) = stream_specs(resolve(None, said), live=False)
    assert spec.shots == ShotRule(threshold=4)


@pytest.mark.parametrize("wrong", [{"threshold": 1}, {"min_s": -1}, {"thresh": 3}, "yes please", 3])
def test_what_is_no_rule_is_refused(rule, wrong):
    with pytest.raises(UsageError, match="shots"):
        rule(wrong)


def test_key_frames_alone_are_no_film(rule):
    with pytest.raises(UsageError, match="door: shots are looked for among all frames"):
        rule(True, sampling={"keyframes": True})
    assert rule(own=False, every=True, sampling={"keyframes": True}) is None

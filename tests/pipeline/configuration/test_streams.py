"""A configuration's sources and named streams as the specifications that are opened."""

import pytest

from operators.backbones.architectures import ARCHITECTURES, Architecture
from operators.errors import UsageError
from pipeline.configuration.resolve import resolve
from pipeline.configuration.streams import sampling_rules, stream_specs
from pipeline.media.frame_size import FrameSize
from pipeline.stream.sampling import Sampling

NOON_US = 1795348800000000


@pytest.fixture
def footage(tmp_path):
    """A folder with two clips; what is in them does not matter here."""
    for name in ("a.mp4", "b.mp4"):
        (tmp_path / name).write_bytes(name.encode())
    return tmp_path


def specs(*overrides, live=False, **options):
    return stream_specs(resolve(None, options, overrides), live=live)


def test_named_streams_come_beside_unnamed_sources(footage):
    found = specs(
        sources=[str(footage / "a.mp4")],
        streams={"gate": {"url": str(footage / "b.mp4")}},
        short_side=112,
        stall_s=3.0,
    )
    assert [spec.stream for spec in found] == ["a.mp4", "gate"]
    assert {(spec.short_side, spec.stall_s) for spec in found} == {(112, 3.0)}


def test_the_patch_is_the_models(footage, monkeypatch):
    sixteen = Architecture("vit_tiny_16", width=64, depth=1, heads=2, patch=16, grid=4)
    monkeypatch.setitem(ARCHITECTURES, sixteen.name, sixteen)
    options = {"sources": [str(footage / "a.mp4")], "short_side": 112}
    (own,), (usual,) = specs(**options, model=sixteen.name), specs(**options)
    assert (own.size, usual.size) == (FrameSize(112, 16), FrameSize(112, 14))
    with pytest.raises(UsageError, match="short_side: should be at least 16, a patch of vit_tiny"):
        specs(**options | {"short_side": 15}, model=sixteen.name)


def test_a_stream_may_have_a_start_time_of_its_own(footage):
    found = specs(
        sources=[str(footage / "a.mp4")],
        streams={"gate": {"url": str(footage / "b.mp4"), "start_time": "2026-11-22T12:00:01Z"}},
        start_time="2026-11-22T12:00:00Z",
    )
    assert [spec.start_time_us for spec in found] == [NOON_US, NOON_US + 1_000_000]


def test_a_folder_is_joined_under_the_name_that_it_is_given(footage):
    (spec,) = specs(sources=[], streams={"gate": {"url": str(footage)}}, join=True)
    assert spec.stream == "gate"
    assert spec.url.endswith("a.mp4")
    assert [path.rpartition("/")[2] for path in spec.join] == ["b.mp4"]


def test_one_name_for_several_files_is_refused(footage):
    with pytest.raises(UsageError, match="or join them"):
        specs(streams={"gate": {"url": str(footage)}})


def test_a_name_that_a_source_has_already_is_refused(footage):
    with pytest.raises(UsageError, match=r"2 sources are called a\.mp4"):
        specs(sources=[str(footage / "a.mp4")], streams={"a.mp4": {"url": str(footage / "b.mp4")}})


@pytest.mark.parametrize(("live", "session"), [(True, ""), (False, None)])
def test_cameras_get_their_session_when_they_connect(footage, live, session):
    found = specs(
        streams={"gate": {"url": "rtsp://h/x" if live else str(footage / "a.mp4")}}, live=live
    )
    assert [spec.live for spec in found] == [live]
    assert (found[0].session == "") == (session == "")


def test_operators_with_one_sampling_share_a_rule():
    config = resolve(None, {}, ["operators.depth.fps=1", "operators.action.fps=1.0"])
    assert sampling_rules(config) == (Sampling("fps", 1), Sampling("fps", 5))

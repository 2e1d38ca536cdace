"""What a configuration says of kept features: what is refused, by name, before anything starts."""

from __future__ import annotations

import json

import numpy as np
import pytest

from operators.archive.kind import Kind
from operators.archive.layout import Layout
from operators.errors import UsageError
from operators.frames import FrameInfo
from pipeline import preflight
from pipeline.archive.archive import Archive
from pipeline.archive.group import Group
from pipeline.archive.header import Header
from pipeline.configuration.kept import plans_in
from pipeline.configuration.resolve import resolve
from pipeline.configuration.streams import stream_specs
from pipeline.stream.gate import Gate

KIND = Kind(Layout((), True, 2, 4), "b" * 64, "dinov2_vitti14", "a" * 64, "torch")
BASE = {"weights": "random", "model": "dinov2_vitti14", "runtime": "inline"}


@pytest.fixture
def keep(tmp_path):
    """Keeps one frame of a stream."""

    def keep(stream="cam1", session="first", *, folder="kept", side=28, kind=KIND, job="j", **more):
        archive = Archive(tmp_path / folder)
        own = archive.session(stream, session)
        frame = Group(0, (FrameInfo.of_picture(),), (1,), np.zeros((1, 2, 3, 3), np.uint8))
        header = Header(stream, session, job, ("fps:5",), side, 0, kind, **more)
        own.append(own.segment(0, 1), header, [frame])
        return f"features:{tmp_path / folder}"

    return keep


def configured(*sources, **more):
    return resolve(None, BASE | {"sources": list(sources)} | more)


def checked(config):
    stream_specs(config, live=False)
    preflight.check(config)


def refused(config):
    with pytest.raises(UsageError) as caught:
        checked(config)
    return str(caught.value)


def test_streams_of_an_archive_are_sources_at_the_size_at_which_they_were_kept(keep):
    keep("cam1")
    source = keep("cam2", side=56)
    specs = stream_specs(configured(source), live=False)
    assert [(one.stream, one.short_side, one.kept) for one in specs] == [
        ("cam1", 28, True),
        ("cam2", 56, True),
    ]


def test_a_gate_is_that_of_the_job_that_kept_the_frames(keep):
    source = keep(gate={"threshold": 6, "at_least_every_s": 4.0})
    keep("cam2")
    gated, plain = stream_specs(configured(source), live=False)
    assert (gated.gate, plain.gate) == (Gate(6, 4.0), None)
    assert gated.from_json(json.loads(json.dumps(gated.to_json()))).gate == Gate(6, 4.0)
    assert "gate: cam1 comes from kept features" in refused(configured(source, gate={}))
    keep("cam1", "second")
    said = "cam1: its sessions were kept with the gates 6 of 255, every 4.0 s and none; move"
    assert said in refused(configured(source))


def test_an_archive_with_more_sessions_is_another_recording(keep):
    (_, before), *_ = plans_in(keep())
    (_, after), *_ = plans_in(keep(session="second"))
    assert before.session != after.session


def test_what_another_job_kept_of_the_same_sessions_is_another_recording(keep):
    keep(folder="others", job="k")
    (_, one), *_ = plans_in(keep())
    (_, other), *_ = plans_in(keep(session="second", folder="others", job="k"))
    (_, mixed), *_ = plans_in(keep(session="second", job="k"))
    (_, swapped), *_ = plans_in(swap(keep))
    assert len({plan.session for plan in (one, other, mixed, swapped)}) == 4
    assert (one.kept_by, other.kept_by) == ("j", "k"), "sessions of the same job change nothing"
    assert len({plan.kept_by for plan in (one, other, mixed, swapped)}) == 4


def swap(keep):
    keep(folder="swapped", job="k")
    return keep(session="second", folder="swapped")


def test_an_archive_that_cannot_be_read_is_refused_by_name(keep, tmp_path):
    source = keep()
    keep(session="second")
    segment = tmp_path / "kept/streams/cam1/second/0000000000-000001.kept"
    segment.write_bytes(b"film" * 100)
    told = refused(configured(source))
    assert f"{segment}: its beginning is damaged; put a whole copy there" in told


def test_a_folder_is_named_by_its_whole_path(keep, tmp_path, monkeypatch):
    keep()
    monkeypatch.chdir(tmp_path)
    assert configured("features:kept").sources == [f"features:{tmp_path}/kept"]
    features = {"dir": "archive", "basis": "basis.safetensors"}
    assert configured("a.mp4", features=features).features.dir == f"{tmp_path}/archive"


def test_what_cannot_be_done_with_features_alone_is_refused(keep, tmp_path):
    source = keep()
    cases = {
        "frames by fps:5, and fps:1 would take others": {"sampling": {"fps": 1}},
        "gate: cam1 comes from kept features": {"gate": {}},
        "shots: cam1 comes from kept features": {"shots": True},
        "start_time: cam1 is kept features": {"start_time": "2026-01-01T00:00:00Z"},
        "deadletter_picture: kept features have no pictures": {"deadletter_picture": True},
        "engines on other machines": {"runtime": "ray", "address": "10.0.0.1:6379"},
        "join is of files": {"join": True},
    }
    for said, more in cases.items():
        assert said in refused(configured(source, **more))
    assert "not read in one job" in refused(configured(source, "synthetic:room?seed=1"))
    streams = {"gate": {"url": source, "region": [0, 0, 1, 0.5]}}
    assert "region: gate comes from kept" in refused(configured(streams=streams))
    streams = {"gate": {"url": source, "short_side": 56}}
    assert "were kept at 28 px" in refused(configured(streams=streams))


def test_archives_that_are_none_or_of_several_kinds_are_refused(keep, tmp_path):
    assert "no features are kept there" in refused(configured(f"features:{tmp_path}/none"))
    source = keep()
    other = Kind(Layout((), True, 1, 4), "c" * 64, "dinov2_vitti14", "a" * 64, "torch")
    keep("cam2", kind=other)
    assert "features of several kinds" in refused(configured(source))
    keep("cam3", folder="sizes")
    sizes = keep("cam3", "second", folder="sizes", side=56)
    assert "kept at short sides of" in refused(configured(sizes))


def test_keeping_needs_a_basis_and_names_for_folders(tmp_path):
    features = {"dir": str(tmp_path), "basis": str(tmp_path / "none.safetensors")}
    assert "no such basis" in refused(configured("synthetic:room?seed=1", features=features))
    dots = {"..": {"url": "synthetic:room?seed=1"}}
    assert "no folder can be called '..'" in refused(configured(streams=dots, features=features))


def test_a_live_run_does_not_follow_an_archive(keep):
    config = resolve(None, BASE | {"streams": {"cam1": {"url": keep()}}})
    with pytest.raises(UsageError, match="which `replay` reads"):
        stream_specs(config, live=True)

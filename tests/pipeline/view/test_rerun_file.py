"""Records in a file of Rerun's, read back by its own SDK; skipped where that is not installed."""

import sys
from contextlib import closing
from dataclasses import replace

import pytest

from operators.errors import UsageError
from pipeline.records.payloads import class_ids
from pipeline.sinks.uri import open_reader, open_sink
from pipeline.view.rerun_file import export
from tests.pipeline.golden.corpus import kept


@pytest.fixture
def sink(tmp_path):
    """A sink of one record of every kind that a release wrote."""
    uri = f"sqlite:{tmp_path / 'r.db'}"
    with closing(open_sink(uri)) as sink:
        sink.publish(kept("2026.11"))
    return uri


@pytest.fixture
def exported(tmp_path):
    """Exports a sink; gives what was said of it, and the rows of every place."""
    chunk = pytest.importorskip("rerun.chunk")

    def made(uri, **more):
        with closing(open_reader(uri)) as reader:
            done = export(reader, tmp_path / "r.rrd", **more)
        rows = {}
        for part in chunk.RrdReader(str(tmp_path / "r.rrd")).stream():
            rows.setdefault(part.entity_path, []).extend(part.to_record_batch().to_pylist())
        return done, rows

    return made


def test_all_that_a_release_wrote_is_there_where_it_belongs(exported, sink):
    done, rows = exported(sink)
    assert done.unread == 0
    topics = {place.split("/")[-2] for place in rows if place.startswith("/room-1/")}
    assert topics >= {"depth", "segmentation", "pca", "action", "classify", "events"}
    times = [row for own in rows.values() for row in own if row.keys() & {"time", "recording"}]
    assert len(times) == done.shown


def test_maps_keep_their_numbers_and_classes_their_names(exported, sink):
    _, rows = exported(sink)
    message = next(one for one in kept("2026.11") if one.topic == "segmentation")
    own = next(own for place, own in rows.items() if "/segmentation/" in place)
    pixels = [
        bytes(row["SegmentationImage:buffer"][0])
        for row in own
        if "SegmentationImage:buffer" in row
    ]
    assert class_ids(message).tobytes() in pixels
    (names,) = [
        row["AnnotationContext:context"] for row in own if "AnnotationContext:context" in row
    ]
    assert len(names[0]) > 5
    depth = next(own for place, own in rows.items() if "/depth/" in place)
    assert depth[0]["DepthImage:meter"] == [pytest.approx(1000)]


def test_pictures_are_spared_beyond_the_pace_and_counted(exported, tmp_path, build):
    depth = next(one for one in kept("2026.11") if one.topic == "depth")
    own = {name: depth.headers[name] for name in ("ce_depthkind", "ce_depthscale")}
    frames = [build.message(n, topic="depth", data=depth.value) for n in range(30)]
    uri = f"sqlite:{tmp_path / 'f.db'}"
    with closing(open_sink(uri)) as sink:
        sink.publish([replace(one, headers={**one.headers, **own}) for one in frames])
    done, rows = exported(uri, per_s=2)
    assert (done.shown, done.spared, done.unread) == (2, 28, 0)  # 30 frames are a second
    (place,) = [place for place in rows if "depth" in place]
    assert [row["recording"].total_seconds() for row in rows[place]] == [
        0,
        pytest.approx(16 / 30, abs=0.001),
    ]


def test_what_is_broken_is_counted_and_an_empty_sink_is_told(exported, tmp_path, build):
    uri = f"sqlite:{tmp_path / 'e.db'}"
    with closing(open_sink(uri)) as sink:
        sink.publish([build.message(topic="depth", data=b"no picture")])
    with pytest.raises(UsageError, match="nothing to show"):
        exported(uri)
    assert list(tmp_path.glob("r.rrd*")) == []


def test_without_the_sdk_the_extra_is_named(sink, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "rerun", None)
    said = r"pip install '\.\[rerun\]'"
    with closing(open_reader(sink)) as reader, pytest.raises(UsageError, match=said):
        export(reader, tmp_path / "r.rrd")
    assert list(tmp_path.glob("r.rrd*")) == []

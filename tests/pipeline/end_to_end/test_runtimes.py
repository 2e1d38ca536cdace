"""The same records whatever the runtime, the company or the number of engines."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.configuration.config import Config
from pipeline.configuration.resolve import resolve
from pipeline.configuration.streams import stream_specs
from pipeline.engine.shard import Tally
from pipeline.runtime.inline import InlineRun

CLIPS = ("long.mp4", "short.mp4", "tall.mp4")


@pytest.fixture(scope="module")
def together(jobs, clips: Path, tmp_path_factory) -> str:
    """All three clips in one process."""
    sink = f"sqlite:{tmp_path_factory.mktemp('inline')}/a.db"
    report = jobs.run(clips, "--runtime", "inline", "--sink", sink)
    assert set(report["streams"].values()) == {"ok"}
    return sink


def test_every_sampled_frame_has_its_records(together: str, tools) -> None:
    topics: dict[str, int] = {}
    for topic, _ in tools.records(together):
        topics[topic] = topics.get(topic, 0) + 1
    frames = 9 * 5 + 4 * 5 + 3 * 5
    assert topics["depth"] == topics["segmentation"] == topics["embedding"] == frames
    assert topics["depth.summary"] == topics["segmentation.summary"] == frames
    windows = {45: 11, 20: 4, 15: 3}  # every 4 frames, and a last one where frames are left over
    assert topics["action"] >= sum(windows.values())


def test_a_stream_alone_says_the_same(together: str, clips: Path, tools, tmp_path) -> None:
    sink = f"sqlite:{tmp_path}/alone.db"
    for name in CLIPS:
        run_inline([str(clips / name)], sink)
    assert tools.records(sink) == tools.records(together)


def run_inline(sources: list[str], sink: str, **more: object) -> tuple[Config, Tally]:
    """The job of `SMALL` in this process."""
    values = {
        "sources": sources,
        "weights": "random",
        "model": "dinov2_vitti14",
        "short_side": 56,
        "threads": 1,
        "runtime": "inline",
        "sink": sink,
        **more,
    }
    config = resolve(None, values)
    run = InlineRun(config, stream_specs(config, live=False), fresh=False, tell=lambda _: None)
    return config, run.run()


def test_a_folder_that_grows_costs_what_is_new(together: str, clips: Path, tools, tmp_path) -> None:
    sink = f"sqlite:{tmp_path}/grown.db"
    _, first = run_inline([str(clips / "short.mp4"), str(clips / "tall.mp4")], sink)
    assert first.frames == 4 * 5 + 3 * 5
    before = tools.records(sink)
    _, grown = run_inline([str(clips)], sink)
    assert grown.frames == 9 * 5
    assert grown.receipt.conflicting == 0
    assert before.items() <= tools.records(sink).items()
    assert tools.records(sink) == tools.records(together)
    _, whole = run_inline([str(clips)], sink)
    assert (whole.frames, whole.receipt.written) == (0, 0)
    assert all(outcome.resumed for outcome in whole.outcomes)


def test_batches_are_mixed(clips: Path, tmp_path) -> None:
    config, tally = run_inline([str(clips)], f"sqlite:{tmp_path}/m.db")
    assert tally.batches[2] > 0, "frames of two clips shared a pass"
    full = tally.frames / config.batch_size
    assert sum(tally.batches.values()) <= full + len(CLIPS), "few passes went half empty"


@pytest.mark.slow
def test_ray_says_the_same(together: str, jobs, clips, tools, tmp_path, monkeypatch) -> None:
    """With two engines, and where temporary files have a path too long for Ray's sockets; whole
    jobs with one are in `test_kills`."""
    (long := tmp_path / ("long" * 25)).mkdir()
    monkeypatch.setenv("TMPDIR", str(long))
    sink = f"sqlite:{tmp_path}/ray.db"
    report = jobs.run(clips, "--runtime", "ray", "--engines", "2", "--sink", sink)
    assert report["conflicting"] == 0
    assert not (tmp_path / "ray.db-wal").exists(), "one file holds everything once it is over"
    assert tools.records(sink) == tools.records(together)


@pytest.mark.slow
@pytest.mark.needs_kafka
def test_kafka_holds_the_same(together: str, clips, tools, kafka_uri: str) -> None:
    run_inline([str(clips)], kafka_uri)
    assert tools.records(kafka_uri) == tools.records(together)


def test_samplings_agree_on_the_frames_they_share(clips: Path, tools, tmp_path) -> None:
    clip, every = str(clips / "short.mp4"), {}
    rules = {"all": {"all": True}, "five": {"fps": 5}, "key": {"keyframes": True}}
    for name, rule in rules.items():
        sink = f"sqlite:{tmp_path}/{name}.db"
        run_inline([clip], sink, sampling=rule, operators=["embedding"])
        every[name] = _data(tools.records(sink))
    assert len(every["all"]) == 120
    assert len(every["five"]) == 20
    assert every["five"].items() <= every["all"].items()
    assert every["key"]
    assert every["key"].items() <= every["all"].items()


def _data(found: dict) -> dict:
    return {key: record for key, record in found.items() if key[0] not in ("events", "labels")}

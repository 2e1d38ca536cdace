"""The same records whatever the company and the sink; `test_kills` and the tests of the runtimes
add the other runtimes."""

from __future__ import annotations

from pathlib import Path

import pytest

from operators.backbones.start import BATCHES
from pipeline.configuration.config import Config
from pipeline.engine.tally import Tally

FRAMES = {"long.mp4": 25, "short.mp4": 10, "tall.mp4": 15}  # that are sampled


@pytest.fixture(scope="module")
def clips(small_clip, tmp_path_factory) -> Path:
    """Three clips of unequal length and rate and two picture sizes."""
    folder = tmp_path_factory.mktemp("clips")
    small_clip(folder / "long.mp4", "bars", number=3, fps=25, frames=125)
    small_clip(folder / "short.mp4", "rows", number=7, fps=30, frames=60)
    small_clip(folder / "tall.mp4", "bars", number=13, fps=20, frames=60, upright=True)
    return folder


@pytest.fixture(scope="module")
def at_once(clips: Path, tools, tmp_path_factory) -> tuple[str, Config, Tally]:
    """All three clips in one job."""
    sink = f"sqlite:{tmp_path_factory.mktemp('inline')}/a.db"
    config, tally = tools.run_inline([clips], sink)
    assert {outcome.status for outcome in tally.outcomes} == {"ok"}
    return sink, config, tally


@pytest.fixture(scope="module")
def together(at_once, tools) -> dict:
    """Its records."""
    return tools.records(at_once[0])


def test_every_sampled_frame_has_its_records(together: dict) -> None:
    topics: dict[str, int] = {}
    for topic, _ in together:
        topics[topic] = topics.get(topic, 0) + 1
    frames = sum(FRAMES.values())
    assert topics["depth"] == topics["segmentation"] == topics["embedding"] == frames
    assert topics["depth.summary"] == topics["segmentation.summary"] == frames
    windows = {25: 6, 10: 2, 15: 3}  # every 4 frames, and a last one where frames are left over
    assert topics["action"] >= sum(windows.values())


def test_streams_alone_say_the_same_and_a_folder_that_grows_costs_what_is_new(
    together: dict, clips: Path, tools, tmp_path
) -> None:
    sink = f"sqlite:{tmp_path}/grown.db"
    for name in ("short.mp4", "tall.mp4"):
        _, alone = tools.run_inline([clips / name], sink)
        assert alone.frames == FRAMES[name]
    before = tools.records(sink)
    _, grown = tools.run_inline([clips], sink)
    assert grown.frames == FRAMES["long.mp4"]
    assert grown.receipt.conflicting == 0
    assert before.items() <= tools.records(sink).items()
    assert tools.records(sink) == together
    _, whole = tools.run_inline([clips], sink)
    assert (whole.frames, whole.receipt.written) == (0, 0)
    assert all(outcome.resumed for outcome in whole.outcomes)


def test_batches_are_mixed(at_once) -> None:
    *_, tally = at_once
    assert tally.batches[2] > 0, "frames of two clips shared a pass"
    full = tally.frames / BATCHES["cpu"]
    assert sum(tally.batches.values()) <= full + len(FRAMES), "few passes went half empty"


@pytest.mark.slow
@pytest.mark.needs_kafka
def test_kafka_holds_the_same(together: dict, clips: Path, tools, kafka_uri: str) -> None:
    tools.run_inline([clips], kafka_uri)
    assert tools.records(kafka_uri) == together


def test_samplings_agree_on_the_frames_they_share(clips: Path, tools, tmp_path) -> None:
    every = {}
    rules = {"all": {"all": True}, "five": {"fps": 5}, "key": {"keyframes": True}}
    for name, rule in rules.items():
        sink = f"sqlite:{tmp_path}/{name}.db"
        tools.run_inline([clips / "short.mp4"], sink, sampling=rule, operators=["embedding"])
        every[name] = _data(tools.records(sink))
    assert len(every["all"]) == 60
    assert len(every["five"]) == FRAMES["short.mp4"]
    assert every["five"].items() <= every["all"].items()
    assert every["key"]
    assert every["key"].items() <= every["all"].items()


def _data(found: dict) -> dict:
    other = ("events", "manifest", "labels")
    return {key: record for key, record in found.items() if key[0] not in other}

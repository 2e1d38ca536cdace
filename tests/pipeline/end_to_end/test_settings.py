"""Streams with settings of their own beside one without: that one says what it always says, and
they say what a whole run with their settings says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

OPERATORS = ["depth", "action", "embedding"]
OF_THE_JOB = ("events", "manifest")  # other operators or another sampling, other ids


@pytest.fixture(scope="module")
def clips(small_clip, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("clips")
    small_clip(folder / "gate.mp4", "bars", number=3, fps=25, frames=75)
    small_clip(folder / "lobby.mp4", "rows", number=7, fps=20, frames=60)
    return folder


@pytest.fixture(scope="module")
def recorded(clips: Path, tools, tmp_path_factory):
    """`recorded(lobby={...}, short_side=28)`: the records of a run over both, or those named."""

    def run(more: dict, **own: dict) -> dict:
        sink = f"sqlite:{tmp_path_factory.mktemp('job')}/a.db"
        streams = {name: {"url": str(clips / f"{name}.mp4"), **one} for name, one in own.items()}
        _, tally = tools.run_inline([], sink, streams=streams, operators=OPERATORS, **more)
        assert {outcome.status for outcome in tally.outcomes} == {"ok"}
        return tools.records(sink)

    return run


def of(stream: str, records: dict, *, events: bool = True) -> dict:
    """A stream's records; those that its operators made alone, without `events`."""
    return {
        key: record
        for key, record in records.items()
        if record[0].get("ce_streamid") == stream and (events or key[0] not in OF_THE_JOB)
    }


def of_topic(wanted: str, records: dict) -> list[dict]:
    return [headers for (topic, _), (headers, _) in records.items() if topic == wanted]


@pytest.fixture(scope="module")
def usual(recorded) -> dict:
    return recorded({}, gate={}, lobby={})


def test_a_sampling_of_its_own(recorded, usual: dict) -> None:
    own = recorded({}, gate={}, lobby={"sampling": {"fps": 2}})
    assert of("gate", own) == of("gate", usual)
    whole = recorded({"sampling": {"fps": 2}}, lobby={})
    assert of("lobby", own, events=False) == of("lobby", whole, events=False)
    slow, fast = of("lobby", own), of("lobby", usual)
    assert len([key for key in slow if key[0] == "embedding"]) == 6
    shared = slow.keys() & fast.keys()
    assert {topic for topic, _ in shared} >= {"depth", "embedding"}, "of one frame, the same"
    assert "action" not in {topic for topic, _ in shared}, "windows are others"
    assert all(slow[key] == fast[key] for key in shared if key[0] != "events")


def test_operators_of_its_own(recorded, usual: dict) -> None:
    own = recorded({}, gate={}, lobby={"operators": ["embedding"]})
    assert of("gate", own) == of("gate", usual)
    lobby = of("lobby", own)
    assert {topic for topic, _ in lobby} == {"embedding", *OF_THE_JOB}
    assert of("lobby", own, events=False).items() <= usual.items()
    events = [json.loads(value) for (topic, _), (_, value) in lobby.items() if topic == "events"]
    (ended,) = [one for one in events if one["kind"] == "ended"]
    assert ended["operators"] == {"embedding": {"sampled": 15, "published": 15}}


def test_a_size_of_its_own(recorded, usual: dict) -> None:
    own = recorded({}, gate={}, lobby={"short_side": 56})
    assert of("gate", own) == of("gate", usual)
    assert of("lobby", own, events=False) == of(
        "lobby", recorded({"short_side": 56}, lobby={}), events=False
    )
    assert not of("lobby", own, events=False).keys() & usual.keys()


def test_a_region_of_its_own(recorded, usual: dict) -> None:
    own = recorded({}, gate={}, lobby={"region": [0.5, 0, 1, 1]})
    assert of("gate", own) == of("gate", usual)
    lobby = of("lobby", own)
    assert not lobby.keys() & usual.keys(), "other pixels, other ids"
    frames = of_topic("depth", lobby)
    (width,) = {int(one["ce_sourcewidth"]) for one in of_topic("depth", of("lobby", usual))}
    (height,) = {int(one["ce_sourceheight"]) for one in frames}
    assert {one["ce_sourcewidth"] for one in frames} == {str(width // 2)}
    assert {one["ce_region"] for one in frames} == {f"{width // 2},0,{width},{height}"}
    assert "ce_region" not in next(iter(of_topic("depth", of("gate", own))))
    again = recorded({}, lobby={"region": [0.5, 0, 1, 1]})
    assert of("lobby", again) == lobby

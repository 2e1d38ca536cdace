"""Tracks of a job that is killed: the next run goes on with the same ids, visits and crossings."""

from __future__ import annotations

import json

import pytest

from operators.errors import DinostreamError

FRAMES = 96
OPERATORS = {"detect": {}, "track": {"sightings": 1}, "brake:Brake": {}}
ZONES = {
    "all": {"polygon": [[0, 0], [1, 0], [1, 1], [0, 1]]},
    "middle": {"line": [[0.5, 0], [0.5, 1]]},
}


@pytest.mark.slow
def test_a_killed_job_goes_on_with_the_same_tracks(
    jobs, tools, small_clip, tmp_path, braked
) -> None:
    small_clip(tmp_path / "a.mp4", "bars", number=3, frames=FRAMES)
    streams = {"a": {"url": str(tmp_path / "a.mp4"), "zones": ZONES}}
    job = {"streams": streams, "sampling": {"all": True}, "operators": OPERATORS}
    (tmp_path / "job.yaml").write_text(json.dumps(job))
    killed, whole = (f"sqlite:{tmp_path}/{name}.db" for name in ("killed", "whole"))
    running = jobs.start("--config", tmp_path / "job.yaml", "--runtime", "inline", "--sink", killed)
    tools.wait_until(lambda: tracked(tools, killed) > 0, running)
    running.kill()
    running.communicate()
    assert 0 < tracked(tools, killed) < FRAMES
    braked.touch()
    same = job | {"operators": list(OPERATORS), "overrides": ["operators.track.sightings=1"]}
    for sink in (killed, whole):
        tools.run_inline([], sink, **same)
    records = tools.records(whole)
    assert {topic for topic, _ in records} >= {"tracks", "tracks.zones"}
    assert tracked(tools, whole) == FRAMES
    assert tools.records(killed) == records


def tracked(tools, sink: str) -> int:
    try:
        return sum(topic == "tracks" for topic, _ in tools.records(sink))
    except DinostreamError:  # not made yet
        return 0

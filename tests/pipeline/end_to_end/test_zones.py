"""Zones of a whole job: what is in them is told the same by a job that was killed on its way."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from operators.errors import DinostreamError
from operators.segmentation.labelsets import label_set

FRAMES = 96
JOB = """
streams:
  yard:
    url: {clip}
    zones:
      left: {{polygon: [[0, 0], [0.5, 0], [0.4, 1], [0, 1]]}}
      right: {{polygon: [[32, 0], [64, 0], [64, 48]], unit: pixels}}
    alerts: {{near: {{zone: left, nearest_below_m: 100, for_s: 0.5}}}}
operators:
  depth:
  segmentation:
  zones:
    classes: {classes}
    enter: 0.02
    leave: 0.01
    min_s: 0.3
  brake:Brake:
sampling: {{all: true}}
stall_s: 200
runtime: inline
"""


@pytest.fixture(scope="module")
def job(small_clip, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("zones")
    small_clip(folder / "yard.mp4", "bars", number=3, frames=FRAMES)
    classes = json.dumps(
        [label.name for label in label_set("ade20k").labels]
    )  # whatever chance says
    text = JOB.format(clip=folder / "yard.mp4", classes=classes)
    (folder / "yard.yaml").write_text(text)
    return folder / "yard.yaml"


def told(tools, sink: str) -> int:
    try:
        return sum(topic == "zones" for topic, _ in tools.records(sink))
    except DinostreamError:  # not made yet
        return 0


@pytest.mark.slow
def test_a_killed_job_tells_of_the_same_stays(jobs, tools, job, braked, tmp_path) -> None:
    killed, whole = f"sqlite:{tmp_path}/k.db", f"sqlite:{tmp_path}/w.db"
    first = jobs.start("--config", job, "--sink", killed)
    tools.wait_until(lambda: told(tools, killed), first)
    first.send_signal(signal.SIGKILL)
    first.communicate()
    assert 0 < told(tools, killed) < FRAMES
    braked.touch()
    for sink in (killed, whole):
        tools.run_inline([], sink, file=job)
    records = tools.records(killed)
    assert records == tools.records(whole)
    assert all(report.complete for report in tools.audit(killed))
    assert told(tools, killed) == FRAMES
    begins, ends = told_of("zones.alerts", records)
    assert (begins["phase"], ends["phase"], ends["cut"]) == ("begins", "ends", True)
    assert begins["start"] == ends["start"], "it has lasted since before the kill"
    kinds = {one["kind"] for one in told_of("zones.episodes", records)}
    assert kinds >= {"entered", "left", "occupancy"}


def told_of(topic: str, records) -> list[dict]:
    return [json.loads(value) for (one, _), (_, value) in records.items() if one == topic]

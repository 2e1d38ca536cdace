"""A replay that is watched over HTTP: what it does is shown, and its streams stay what they are."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from urllib.request import urlopen

import pytest

from operators.errors import UsageError
from pipeline.control.client import Client

FRAMES = {"a.mp4": 80, "b.mp4": 20}


def address(job: subprocess.Popen[str]) -> str:
    """Where it listens, as it says."""
    assert job.stderr
    for line in job.stderr:
        if found := re.search(r"streams can be watched at (\S+)", line):
            return found[1]
    raise AssertionError(f"it ended with {job.wait()}")


def test_a_replay_is_watched_and_not_steered(jobs, tools, small_clip, braked: Path, tmp_path: Path):
    footage = tmp_path / "footage"
    footage.mkdir()
    for name, frames in FRAMES.items():
        small_clip(footage / name, "bars", number=3, frames=frames)
    sink = f"sqlite:{tmp_path}/watched.db"
    picked = ["--operator", "embedding", "--operator", "brake:Brake"]
    job = jobs.start(
        footage, "--all", *picked, "--runtime=inline", "--sink", sink, "--listen", "127.0.0.1:0"
    )
    url = address(job)
    client = Client(url)

    def shown() -> dict[str, dict]:
        return {stream["id"]: stream for stream in client.streams()}

    tools.wait_until(lambda: any(one["share"] for one in shown().values()), job)
    found = shown()
    assert found.keys() == FRAMES.keys()
    assert "live" in {one["state"] for one in found.values()}
    assert found["a.mp4"]["config"]["url"] == str(footage / "a.mp4")
    page = json.loads(urlopen(f"{url}/view/streams", timeout=30).read())
    assert [one["stream"] for one in page["streams"]] == sorted(FRAMES)
    assert "live" in {one["state"] for one in page["streams"]}
    assert page["sink_state"] == "there"
    shown_stream = json.loads(urlopen(f"{url}/view/streams/a.mp4", timeout=30).read())
    assert shown_stream["pictures"] in ("footage", None)  # None before its first records
    assert b"dinostream" in urlopen(f"{url}/", timeout=30).read()
    for refused in (
        lambda: client.put("c.mp4", {"url": str(footage / "a.mp4")}, only_new=True),
        lambda: client.patch("a.mp4", {"priority": 3}),
        lambda: client.turn("a.mp4", "pause"),
        lambda: client.remove("a.mp4"),
    ):
        with pytest.raises(UsageError, match="this is a replay"):
            refused()
    braked.touch()
    report = jobs.finish(job)
    assert report["streams"] == dict.fromkeys(FRAMES, "ok")
    embeddings = [topic for topic, _ in tools.records(sink) if topic == "embedding"]
    assert len(embeddings) == sum(FRAMES.values())

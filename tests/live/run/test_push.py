"""A program pushes its frames into a run that goes on."""

import re
import signal
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np

from pipeline import Push
from pipeline.control.client import Client
from pipeline.media.raw_video import RawVideo

PAGE = Path(__file__).parents[3] / "docs" / "live.md"
FRAMES = 40
SIDE = 56


def pictures():
    return np.random.default_rng(7).integers(0, 256, (FRAMES, SIDE, SIDE, 3), np.uint8)


def test_programs_push_into_a_run(live_run, tmp_path):
    config = {"operators": {"embedding": {}}, "sampling": {"all": True}, "buffer_frames": 1000}
    run = live_run(config, options=("--listen", "127.0.0.1:0"))
    client = Client(run.until(lambda: re.search(r"removed at (http://\S+)", run.stderr))[1])
    check_that_the_pages_example_works(run, client)
    check_that_records_are_those_of_a_file(run, client, tmp_path)
    run.signal(signal.SIGTERM)
    assert run.exit_code() == 0, run.stderr


def check_that_the_pages_example_works(run, client):
    section = PAGE.read_text().partition("## Frames of your own program")[2]
    example = re.search(r"```python\n(.*?)```", section, re.DOTALL)[1]
    assert "http://127.0.0.1:8600" in example
    names = {}
    exec(example.replace("http://127.0.0.1:8600", client.url), names)
    run.until(lambda: run.count("embedding", "sim") == 100)
    assert [*by_pts(run, "sim")][-1] == str(names["pts"])
    client.remove("sim")


def check_that_records_are_those_of_a_file(run, client, folder):
    with Push() as push:
        client.put("own", {"url": push.url}, only_new=True)
        put = [push.put(picture) for picture in pictures()]
    run.until(lambda: run.count("embedding", "own") == FRAMES)
    run.until(lambda: "disconnected" in run.told("own"))
    client.remove("own")
    video = RawVideo((SIDE, SIDE), put[0])
    packed = [video.packed(picture, us) for picture, us in zip(pictures(), put, strict=True)]
    (folder / "same.nut").write_bytes(b"".join(packed))
    client.put("file", {"url": "same.nut"}, only_new=True)
    run.until(lambda: run.count("embedding", "file") == FRAMES)

    assert [*by_pts(run, "own")] == [str(us) for us in put]
    assert by_pts(run, "own") == by_pts(run, "file")
    assert len(set(by_pts(run, "own").values())) == FRAMES
    assert set(run.told("own")) == {"started", "disconnected", "ended"}, "and nothing was dropped"
    assert urlsplit(push.url).password not in run.stderr


def by_pts(run, stream):
    """What is said of each frame, in the order of publishing."""
    return {said["ce_pts"]: value for said, value in run.records("embedding", stream)}

"""Frames that this process pushes into a job on a cluster."""

from __future__ import annotations

import threading
from contextlib import closing
from pathlib import Path

import numpy as np

from pipeline import Push
from pipeline.configuration.document import to_document
from pipeline.configuration.resolve import resolve
from pipeline.configuration.streams import stream_specs
from pipeline.runtime.ray_run import RayRun
from pipeline.sinks.uri import open_reader

FRAMES = 40


def test_every_frame_is_sampled_where_the_engine_is_an_actor(nodes, processes, tmp_path: Path):
    frames = np.random.default_rng(7).integers(0, 256, (FRAMES, 56, 56, 3), np.uint8)
    sink = f"sqlite:{tmp_path}/push.db"
    with Push(timeout_s=200) as push:  # until a cluster has started who reads
        values = {
            "streams": {"sim": {"url": push.url, "drop": "block"}},
            "operators": {"embedding": {}},
            "sampling": {"all": True},
            "weights": "random",
            "model": "dinov2_vitti14",
            "short_side": 56,
            "threads": 1,
            "sink": sink,
            "address": nodes.address,
        }
        (tmp_path / "job.yaml").write_text(to_document(values))
        config = resolve(tmp_path / "job.yaml")
        run = RayRun(config, stream_specs(config, live=True), fresh=False, tell=lambda _: None)
        job = threading.Thread(target=run.run)
        job.start()
        try:
            put = [push.put(frame) for frame in frames]
            processes.wait_until(lambda: run.tally.frames == FRAMES)
        finally:
            run.stop()
            job.join()
    with closing(open_reader(sink)) as reader:
        told = [one.message for one in reader.records()]
    assert [int(one.headers["ce_pts"]) for one in told if one.topic == "embedding"] == put

"""Decodes the same clip by the CPU and by a GPU: frames a second, CPU time, and whether they agree.

    python -m benchmarks.nvdec --out nvdec.json

Needs PyAV beside numpy, and a GPU; on its own clip, 1080p H.264. Streams are processes, as they are
in a job, and are doubled until that gives less than a tenth more.
"""

import argparse
import hashlib
import json
import multiprocessing
import resource
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from fractions import Fraction
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any, get_args

import av
import numpy as np

from pipeline.media.card import card_trouble
from pipeline.media.device import Device
from pipeline.media.frame_size import FrameSize
from pipeline.media.picture import Picture
from pipeline.media.reel import VideoReel
from pipeline.media.scaler import Scaler

SIZE_HW, FRAMES, RATE = (1080, 1920), 250, 25
EVERY = 5  # frames that are sampled
MOST_STREAMS = 64
ENOUGH = 1.1  # times as many frames a second, or more streams are of no use
BUDGET_S = 30.0
START_S = 60.0  # of processes, all in all; one that does not start is waited for no longer


def write_clip(path: Path) -> None:
    """Blocks that move, with B-frames."""
    height, width = SIZE_HW
    coarse = np.random.default_rng(0).integers(0, 256, (height // 20, width // 20, 3), np.uint8)
    still = coarse.repeat(20, axis=0).repeat(20, axis=1)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=RATE)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.codec_context.options = {"preset": "veryfast", "bf": "2", "g": "50"}
        for index in range(FRAMES):
            moved = np.ascontiguousarray(np.roll(still, index * 3, axis=1))
            frame = av.VideoFrame.from_ndarray(moved, format="rgb24")
            frame.pts, frame.time_base = index, Fraction(1, RATE)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def decode(path: str, device: Device) -> dict[str, Any]:
    """One stream, in a process of its own: what came out, and what it cost once it had begun."""
    reel = VideoReel.open(path, keyframes=False, max_pixels=1 << 24, timeout_s=5, device=device)
    scale, digest, decoded, sampled = Scaler(FrameSize(224, 14)), hashlib.sha256(), 0, 0
    began_s, began_cpu_s = time.monotonic(), time.process_time()
    for step in reel.pictures():
        if not isinstance(step, Picture):
            continue
        if decoded % EVERY == 0:
            digest.update(scale(step).tobytes())
            sampled += 1
        decoded += 1
    reel.close()
    return {
        "decoded": decoded,
        "sampled": sampled,
        "sha256": digest.hexdigest(),
        "seconds": time.monotonic() - began_s,
        "cpu_ms_per_frame": (time.process_time() - began_cpu_s) * 1000 / max(decoded, 1),
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def _begin(all_there: Barrier) -> None:
    all_there.wait(START_S)


def together(path: Path, device: Device, streams: int) -> dict[str, Any]:
    """So many streams at once; their sum is by the time from the first start to the last end."""
    spawn = multiprocessing.get_context("spawn")
    all_there = spawn.Barrier(streams + 1)
    with ProcessPoolExecutor(
        streams, mp_context=spawn, initializer=_begin, initargs=(all_there,)
    ) as pool:
        idle = pool.map(abs, range(streams))  # starts them all, as none is done before the last is
        _begin(all_there)  # and only then does the clock
        list(idle)
        began_s = time.monotonic()
        rows = list(pool.map(decode, [str(path)] * streams, [device] * streams))
        seconds = time.monotonic() - began_s
    return {
        "streams": streams,
        "frames_per_s": sum(row["decoded"] for row in rows) / seconds,
        "cpu_ms_per_frame": sum(row["cpu_ms_per_frame"] for row in rows) / streams,
        "peak_mib": max(row["peak_mib"] for row in rows),
        "decoded": rows[0]["decoded"],
        "sha256": sorted({row["sha256"] for row in rows}),
    }


def measure(path: Path, device: Device, until_s: float) -> list[dict[str, Any]]:
    """More streams until they are of no use, or the time is over."""
    rows = [together(path, device, 1)]
    while rows[-1]["streams"] < MOST_STREAMS and time.monotonic() < until_s:
        rows.append(together(path, device, rows[-1]["streams"] * 2))
        print(device, json.dumps(rows[-1]), flush=True)
        if rows[-1]["frames_per_s"] < ENOUGH * rows[-2]["frames_per_s"]:
            break
    return rows


def main(arguments: Sequence[str] | None = None) -> int:
    """Exits 1 where a device gave no pictures at all, or not all of them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="report, JSON")
    parser.add_argument(
        "--devices", nargs="+", choices=get_args(Device), default=["cpu", "cuda"], help="to compare"
    )
    asked = parser.parse_args(arguments)
    if "cuda" in asked.devices and (trouble := card_trouble()):
        parser.exit(1, f"no GPU decodes here: {trouble}\n")
    began_s = time.monotonic()
    report: dict[str, Any] = {"size_hw": SIZE_HW, "frames": FRAMES, "every": EVERY, "devices": {}}
    with tempfile.TemporaryDirectory() as folder:
        clip = Path(folder) / "clip.mp4"
        write_clip(clip)
        for number, device in enumerate(asked.devices, 1):
            until_s = began_s + BUDGET_S * number / len(asked.devices)
            report["devices"][device] = measure(clip, device, until_s)
    rows = [row for own in report["devices"].values() for row in own]
    report["same_pictures"] = len({digest for row in rows for digest in row["sha256"]}) == 1
    report["all_frames"] = all(row["decoded"] == FRAMES for row in rows)
    asked.out.write_text(json.dumps(report, indent=1))
    print(f"same pictures: {report['same_pictures']}; all frames: {report['all_frames']}")
    return int(not report["all_frames"])


if __name__ == "__main__":
    raise SystemExit(main())

"""What a gate saves on cameras that stand still, and what it costs.

    python -m benchmarks.gate [--yards 4] [--seconds 40] [--bodies 1] [--clips FILE ...]

Yards are rendered with their truth and encoded, 640 x 360 at 10 frames/s, sampled at 5. Of each and
of each clip: which part of its frames is computed at some thresholds. Of the yards together:
streams per core with ViT-S, with a gate and without, by CPU time of whole jobs less that of their
start, in turns; mIoU and AbsRel of the demo weights with and without, against the truth; and how
often a frame is called unchanged though a body has come, gone or moved, by its size in patches of
ViT-S at 224.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pipeline import subscribe
from pipeline.client.results import Depth, Segmentation, Unchanged
from pipeline.decode.playback import Playback
from pipeline.decode.stillness import Stillness
from pipeline.decode.track import Sample
from pipeline.media.encode import write_clip
from pipeline.stream.gate import AT_LEAST_EVERY_S, THRESHOLD, Gate
from pipeline.stream.sampling import Sampling
from pipeline.stream.spec import StreamSpec
from pipeline.synthetic.scene import Scene, open_scene
from pipeline.synthetic.uri import parse_scene_uri

FPS, SAMPLED_FPS = 10, 5
RENDERED_WH, ENCODED_WH = (320, 180), (640, 360)
PATCH = 14 * RENDERED_WH[1] / 224  # rendered pixels
THRESHOLDS = (4, 6, 8, 12, 16, 24)
BANDS = (1, 2, 3, 4, 6, 99)  # edges of sizes, patches
ROUNDS = 2
SKY_M = 80.0
VITS = ("--weights", "random", "--model", "dinov2_vits14", "--short-side", "224")
DEMO = ("--weights", "demo", "--short-side", "112")


@dataclass(frozen=True)
class Yard:
    """A rendered clip, and where it is encoded."""

    scene: Scene
    path: Path

    @classmethod
    def made(cls, seed: int, seconds: float, bodies: int, folder: Path) -> Yard:
        width, height = RENDERED_WH
        text = f"seed={seed}&seconds={seconds:g}&fps={FPS}&size={width}x{height}&bodies={bodies}"
        scene = open_scene(parse_scene_uri(f"synthetic:yard?{text}"))
        path = folder / f"yard-{seed}.mp4"
        frames = (scene.render(index).rgb for index in range(scene.frame_count))
        write_clip(path, map(_enlarged, frames), fps=FPS)
        return cls(scene, path)


def _enlarged(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(Image.fromarray(rgb).resize(ENCODED_WH, Image.Resampling.BILINEAR))


def samples(path: Path) -> list[Sample]:
    """Five frames of a second, at ViT-S's size."""
    rule = Sampling("fps", SAMPLED_FPS)
    spec = StreamSpec("clip", str(path), session="x", samplings=(rule,))
    return [item for item in Playback(spec, lambda: 0).items() if isinstance(item, Sample)]


def judged(frames: Sequence[Sample], threshold: int) -> list[str]:
    """What each frame repeats; "" of those that are computed."""
    gate = Gate(threshold, AT_LEAST_EVERY_S)
    rule = Sampling("fps", SAMPLED_FPS)
    stillness = Stillness(StreamSpec("clip", "x", session="x", samplings=(rule,), gate=gate))
    found = [stillness.judge(one) for one in frames]
    return [one.repeats for one in found if isinstance(one, Sample)]


def computed(frames: Sequence[Sample]) -> dict[str, float]:
    """Threshold -> part of the frames that is computed."""
    return {
        str(level): round(judged(frames, level).count("") / len(frames), 3) for level in THRESHOLDS
    }


def missed(yard: Yard, frames: Sequence[Sample], seen: Mapping[str, list[list[int]]]) -> None:
    """Of every body that is elsewhere than in the last computed frame by half a patch or more, or
    came or went: whether the frame was called unchanged, by its size and at each threshold."""
    indices = [round(one.info.event_time_us * FPS / 1e6) for one in frames]
    bodies = [{one.id: one for one in yard.scene.instances(index).seen} for index in indices]
    for level in THRESHOLDS:
        key = 0
        for row, repeats in enumerate(judged(frames, level)):
            for size in _moved(bodies[key], bodies[row]):
                band = next(n for n, edge in enumerate(BANDS) if size < edge)
                seen[str(level)][band][0] += bool(repeats)
                seen[str(level)][band][1] += 1
            key = key if repeats else row


def _moved(before: Mapping[int, Any], now: Mapping[int, Any]) -> Iterator[float]:
    """Sizes, patches, of bodies that are elsewhere: the root of the area that is seen of each."""
    for name in before.keys() | now.keys():
        both = [one[name] for one in (before, now) if name in one]
        boxes = [one.box for one in both]
        if len(both) < 2 or np.abs(np.subtract(*boxes)).max() >= PATCH / 2:
            yield max(one.visible_pixels for one in both) ** 0.5 / PATCH


def replayed(arguments: Sequence[str], sink: Path) -> float:
    """CPU seconds of a whole job, decoders included."""
    sink.unlink(missing_ok=True)
    words = ["replay", *arguments, "--sink", f"sqlite:{sink}", "--runtime", "inline", "--json"]
    command = [sys.executable, "-m", "pipeline", *words, "--set", "threads=1"]
    child = os.posix_spawn(
        command[0],
        command,
        os.environ,
        file_actions=[
            (os.POSIX_SPAWN_OPEN, fd, str(sink) + ".log", os.O_WRONLY | os.O_CREAT, 0o600)
            for fd in (1, 2)
        ],
    )
    _, status, spent = os.wait4(child, 0)
    if status:
        sys.exit(f"the job failed: {Path(str(sink) + '.log').read_text()}")
    return spent.ru_utime + spent.ru_stime


def gated(threshold: int = THRESHOLD) -> tuple[str, str]:
    return ("--set", f"gate={json.dumps({'threshold': threshold})}")


def cost(yards: Sequence[Yard], folder: Path, seconds: float) -> dict[str, Any]:
    """CPU seconds of a minute of footage, without a gate and with one."""
    files = [str(yard.path) for yard in yards]
    media_s = seconds * len(yards)
    rounds: dict[str, list[float]] = defaultdict(list)
    for _ in range(ROUNDS):
        start_s = replayed([*files, *VITS, "--set", "span_s=[0,0.1]"], folder / "s.db")
        for name, more in (("plain", ()), ("gated", gated())):
            spent_s = replayed([*files, *VITS, *more], folder / "c.db") - start_s
            rounds[name].append(media_s / spent_s)
    ratios = [one / other for one, other in zip(rounds["gated"], rounds["plain"], strict=True)]
    found = {f"{name} streams per core": _range(values) for name, values in rounds.items()}
    return found | {"ratio": _range(ratios)}


def _range(values: Sequence[float]) -> list[float]:
    return [round(one, 2) for one in (min(values), statistics.median(values), max(values))]


def quality(yards: Sequence[Yard], folder: Path) -> dict[str, Any]:
    """mIoU, AbsRel and pixel accuracy against the truth, without a gate and with one."""
    sums: dict[str, Any] = {}
    operators = ("--operator", "depth", "--operator", "segmentation")
    for name, more in (("plain", ()), ("gated", gated())):
        areas, errors = np.zeros((3, 256)), []
        for yard in yards:
            replayed([str(yard.path), *DEMO, *operators, *more], folder / "q.db")
            for index, depth, classes in answers(f"sqlite:{folder / 'q.db'}"):
                truth = yard.scene.render(index)
                _count(areas, _cells(truth.classes, classes.ids.shape), classes.ids)
                assert depth.metres is not None
                metres = _cells(truth.depth_m, depth.metres.shape)
                known = (metres < SKY_M) & ~np.isnan(depth.metres)
                errors.append(np.abs(depth.metres - metres)[known] / metres[known])
        there = areas[0] > 0
        overlap = areas[2][there] / (areas[0] + areas[1] - areas[2])[there]
        sums[name] = {
            "mIoU": round(float(overlap.mean()), 4),
            "AbsRel": round(float(np.concatenate(errors).mean()), 4),
            "frames": len(errors),
        }
    return sums


def answers(sink: str) -> Iterator[tuple[int, Depth, Segmentation]]:
    """Every sampled frame by its index in the clip, with the records that hold for it."""
    found: dict[str, dict[int, Any]] = {"depth": {}, "segmentation": {}}
    by_id: dict[str, Any] = {}
    spans: list[Unchanged] = []
    for one in subscribe(sink, topics=[*found, "unchanged"], follow=False, strict=True):
        if isinstance(one, Unchanged):
            spans.append(one)
        elif one.time:
            found[one.topic][_index(one.time)] = by_id[one.id] = one
    step = FPS // SAMPLED_FPS
    for span in spans:
        for index in range(_index(span.start.time), _index(span.end.time) + 1, step):
            for topic, rows in found.items():
                rows[index] = by_id[span.ids[topic][0]]
    for index in sorted(found["depth"]):
        yield index, found["depth"][index], found["segmentation"][index]


def _index(time: datetime) -> int:
    return round(time.timestamp() * FPS)


def _cells(truth: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    """At the centre of each cell of a map."""
    sides = zip(shape, truth.shape, strict=True)
    rows, columns = ((2 * np.arange(cells) + 1) * side // (2 * cells) for cells, side in sides)
    return truth[np.ix_(rows, columns)]


def _count(areas: NDArray[np.float64], truth: NDArray[Any], answer: NDArray[Any]) -> None:
    """Add cells by class: of the truth, of the answer, of both."""
    areas[0] += np.bincount(truth.ravel(), minlength=256)
    areas[1] += np.bincount(answer.ravel(), minlength=256)
    areas[2] += np.bincount(truth[truth == answer].ravel(), minlength=256)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--yards", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=40)
    parser.add_argument("--bodies", type=int, default=1)
    parser.add_argument("--clips", type=Path, nargs="*", default=[])
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    found: dict[str, Any] = {"computed": {}}
    for path in given.clips:
        found["computed"][path.name] = computed(samples(path))
        print(path.name, found["computed"][path.name], flush=True)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        yards = [
            Yard.made(seed, given.seconds, given.bodies, folder)
            for seed in range(1, given.yards + 1)
        ]
        seen = {str(level): [[0, 0] for _ in BANDS] for level in THRESHOLDS}
        for yard in yards:
            frames = samples(yard.path)
            found["computed"][yard.path.name] = computed(frames)
            print(yard.path.name, found["computed"][yard.path.name], flush=True)
            missed(yard, frames, seen)
        found["called unchanged"] = {"below, patches": BANDS, **seen}
        print("called unchanged", found["called unchanged"], flush=True)
        found["quality"] = quality(yards, folder)
        print("quality", found["quality"], flush=True)
        found["cost"] = cost(yards, folder, given.seconds)
        print("cost", found["cost"], flush=True)
    if given.json:
        given.json.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()

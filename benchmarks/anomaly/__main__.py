"""What `anomaly` tells of still cameras, beside random weights and pixels alone.

    python -m benchmarks.anomaly                         rendered yards that nobody came into
    python -m benchmarks.anomaly --busy                  those that balls and boxes came into
    python -m benchmarks.anomaly CLIP...                 footage of cameras that stand still

A memory is learnt from the first half of a camera's usual frames, its threshold is the highest
score of the next ones, and the rest is judged: as it is, with something done to it, and under
another light, which is reported apart. Intervals are over cameras.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.anomaly.cameras import BUSY, PATCH, QUIET, Camera, Case, clips, yards
from operators.backbones.thread_pool import stay_on_one_core
from operators.learn.anomaly_ways import Distances, OfPatches, OfPixels, Way, frame_scores
from operators.learn.auroc import auroc, mean_over
from pipeline.features.backbone import open_backbone

FIRST_SEED = 700  # of yards that nothing was tuned on


@dataclass(frozen=True, slots=True)
class Judged:
    """One case of one camera.

    Attributes:
        frames: AUROC of frames.
        cells: AUROC of cells; NaN where all are alike.
        over: share of its frames above the threshold.
    """

    frames: float
    cells: float
    over: float


def judged(way: Way, camera: Camera) -> dict[str, Judged]:
    """Of every case and light of a camera, and of `usual` frames how many are over."""
    distances = way.learn(camera.learn)
    threshold = frame_scores(distances(camera.aside)).max()
    calm = distances(camera.calm)
    usual = frame_scores(calm)
    told = {"usual": Judged(float("nan"), float("nan"), float((usual > threshold).mean()))}
    for name, case in (camera.cases | camera.light).items():
        told[name] = _judged(distances, case, calm, threshold)
    return told


def _judged(
    distances: Distances, case: Case, calm: NDArray[np.float64], threshold: float
) -> Judged:
    seen = distances(case.pictures)
    of_frames = frame_scores(seen)
    cells, unusual, usual = float("nan"), case.unusual, case.usual
    if unusual is not None and usual is not None:
        cells = auroc(np.concatenate([calm.ravel(), seen[usual]]), seen[unusual])
    over = float((of_frames > threshold).mean())
    return Judged(auroc(frame_scores(calm), of_frames), cells, over)


def main() -> None:
    """Print a table, and write what it is made of where it is wanted."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.anomaly",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("clips", nargs="*", metavar="CLIP", help="default: rendered yards")
    parser.add_argument("--busy", action="store_true", help="others come, who are usual")
    parser.add_argument("--yards", type=int, default=8, help="default: 8")
    parser.add_argument("--seconds", type=int, default=300, help="of a yard; default: 300")
    parser.add_argument("--model", default="dinov2_vitti14", help="default: dinov2_vitti14")
    parser.add_argument("--weights", default="demo", help="default: demo")
    parser.add_argument("--short-side", type=int, default=112, help="pixels; default: 112")
    parser.add_argument("--prototypes", type=int, default=8, help="of each place; default: 8")
    parser.add_argument("--out", type=Path, help="a JSON file")
    given = parser.parse_args()
    stay_on_one_core()
    seeds = range(FIRST_SEED, FIRST_SEED + given.yards)
    cameras = (
        clips(given.clips, short_side=given.short_side)
        if given.clips
        else yards(
            seeds,
            BUSY if given.busy else QUIET,
            seconds=given.seconds,
            short_side=given.short_side,
        )
    )
    report = {name: _report(way, cameras) for name, way in _ways(given)}
    print("\n".join(_table(report, cameras)))
    if given.out:
        given.out.write_text(json.dumps(report, indent=1) + "\n")


def _ways(given: argparse.Namespace) -> Iterator[tuple[str, Way]]:
    for weights in dict.fromkeys((given.weights, "random")):
        backbone = open_backbone(given.model, weights, threads=1)
        yield Path(weights).name, OfPatches(backbone, given.prototypes)
        backbone.close()
    yield "pixels", OfPixels(PATCH)


def _report(way: Way, cameras: Sequence[Camera]) -> dict[str, Any]:
    told = [judged(way, camera) for camera in cameras]
    names = list(dict.fromkeys(name for one in told for name in one))
    return {
        name: {
            measure: mean_over([getattr(one[name], measure) for one in told]).plain()
            for measure in Judged.__slots__
        }
        for name in names
    }


def _table(report: dict[str, dict[str, Any]], cameras: Sequence[Camera]) -> Iterator[str]:
    frames = sum(len(camera.calm) for camera in cameras)
    yield f"{len(cameras)} cameras, {frames} usual frames judged"
    yield f"| | {' | '.join(f'{way}: frames | cells | over' for way in report)} |"
    yield f"|---|{'---|' * (3 * len(report))}"
    light = {name for camera in cameras for name in camera.light}
    for name in next(iter(report.values())):
        mark = " (light)" if name in light else ""
        numbers = [
            _said(own[name][measure]) for own in report.values() for measure in Judged.__slots__
        ]
        yield f"| {name}{mark} | {' | '.join(numbers)} |"


def _said(number: dict[str, float | None]) -> str:
    if number["value"] is None:
        return ""
    low, high = number["low"], number["high"]
    between = "" if low is None or high is None else f" ({low:.2f} to {high:.2f})"
    return f"{number['value']:.2f}{between}"


if __name__ == "__main__":
    main()

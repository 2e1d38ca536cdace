"""Places of rendered yards: how much of what happens there is told, and how much told happens.

    python -m benchmarks.places                            true maps and boxes: minutes
    python -m benchmarks.places --side 112 --side 224      and maps of the demo weights

Truth is read off the scene at 25 frames a second and in all of its pixels; operators see 5, `zones`
on maps of 64 x 112 cells. `share`: a class covers its part of the zone; `foot`: a body stands in
it. A stay is found where one of its zone and class has half of the time of both in common, a
crossing where one of its line, class and direction is told at most a second off. What lasts no
more than two frames longer than the least time may be told or not.
"""

from __future__ import annotations

import argparse
import itertools
import sys
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.places.happened import happened
from benchmarks.places.question import Question, scored
from benchmarks.places.spell import Score
from benchmarks.places.told_tracks import told_of_true_boxes
from benchmarks.places.told_zones import told_of_job, told_of_true_maps
from operators.places.places import Places
from operators.places.shapes import Line, Zone
from operators.zones.watched import Thresholds
from pipeline.synthetic.uri import SceneSpec

FIRST_SEED = 700  # of yards that no operator was tuned on
RATE, TRUE_RATE = 5, 25
SIZE_WH = (392, 224)
OF_ZONES, OF_TRACKS = ("stay", "dwell", "occupancy"), ("visit", "in", "out")
ASKED = Question(
    Places(
        (
            Zone("dock", ((0.30, 0.35), (0.55, 0.35), (0.60, 0.65), (0.25, 0.65))),
            Zone("gate", ((0.62, 0.22), (0.88, 0.22), (0.95, 0.48), (0.66, 0.48))),
            Zone("near", ((0.30, 0.66), (0.70, 0.66), (0.75, 0.92), (0.25, 0.92))),
        ),
        (Line("kerb", ((0.0, 0.45), (1.0, 0.45))), Line("middle", ((0.5, 0.2), (0.5, 0.92)))),
    ),
    ("box", "sphere", "vehicle"),
    Thresholds(enter=0.05, leave=0.03, min_s=1.0, dwell_s=5.0),
)
SURE_S = ASKED.thresholds.min_s + 2 / RATE


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.places",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--yards", type=int, default=8, help="how many (default: 8)")
    parser.add_argument("--seconds", type=float, default=60, help="of each (default: 60)")
    parser.add_argument("--seed", type=int, default=FIRST_SEED, help="of the first one")
    parser.add_argument(
        "--side", type=int, action="append", default=[], help="of frames for the demo weights"
    )
    parser.add_argument("--folder", type=Path, default=Path("results/places"))
    chosen = parser.parse_args()
    scores: dict[tuple[str, str, str], Score] = defaultdict(Score)
    for seed in range(chosen.seed, chosen.seed + chosen.yards):
        print(f"yard {seed}", file=sys.stderr, flush=True)
        spec = SceneSpec("yard", seed=seed, seconds=chosen.seconds, fps=RATE, size_wh=SIZE_WH)
        told = {"true maps": told_of_true_maps(spec, ASKED)}
        for side in chosen.side:
            name = f"maps of the demo weights, {side} px"
            told[name] = told_of_job(spec, ASKED, side, chosen.folder)
        true = happened(replace(spec, fps=TRUE_RATE), ASKED)
        for (seen, found), (meaning, right) in itertools.product(told.items(), true.items()):
            for kind in OF_ZONES:
                scores[seen, meaning, kind] += scored(kind, right, found, SURE_S)
        boxed = told_of_true_boxes(spec, ASKED)
        for kind in OF_TRACKS:
            scores["true boxes", "foot", kind] += scored(kind, true["foot"], boxed, SURE_S)
    print("| seen | truth | what | true | told | precision | recall | ends off by, median |")
    print("|---|---|---|---|---|---|---|---|")
    for names, one in sorted(scores.items(), reverse=True):
        off = f"{np.median(one.off_s):.2f} s" if one.off_s else "-"
        numbers = f"{one.true} | {one.found} | {one.precision:.3f} | {one.recall:.3f} | {off}"
        print(f"| {' | '.join(names)} | {numbers} |")


if __name__ == "__main__":
    main()

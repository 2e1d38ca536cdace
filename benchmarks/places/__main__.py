"""Zones of rendered yards: how many of the stays that happen are told, and how many told happen.

    python -m benchmarks.places                            true maps alone: a few minutes
    python -m benchmarks.places --side 112 --side 224      and those of the demo weights

Truth is read off the scene at 25 frames a second and in all of its pixels; the operator sees 5, on
maps of 64 x 112 cells. `share`: a class covers its part of the zone; `foot`: a body stands in it.
A stay is found where one of its zone and class has half of the time of both in common.
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
from benchmarks.places.told_zones import told_of_job, told_of_true_maps
from operators.places.places import Places
from operators.places.shapes import Zone
from operators.zones.watched import Thresholds
from pipeline.synthetic.uri import SceneSpec

FIRST_SEED = 700  # of yards that nothing was tuned on
RATE, TRUE_RATE = 5, 25
SIZE_WH = (392, 224)
KINDS = ("stay", "dwell", "occupancy")
ASKED = Question(
    Places(
        (
            Zone("dock", ((0.30, 0.35), (0.55, 0.35), (0.60, 0.65), (0.25, 0.65))),
            Zone("gate", ((0.62, 0.22), (0.88, 0.22), (0.95, 0.48), (0.66, 0.48))),
            Zone("near", ((0.30, 0.70), (0.70, 0.70), (0.76, 1.00), (0.24, 1.00))),
        )
    ),
    ("box", "sphere", "vehicle"),
    Thresholds(enter=0.05, leave=0.03, min_s=1.0, dwell_s=5.0),
)


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
        told = {"true": told_of_true_maps(spec, ASKED)}
        for side in chosen.side:
            told[f"demo weights, {side} px"] = told_of_job(spec, ASKED, side, chosen.folder)
        for meaning, true in happened(replace(spec, fps=TRUE_RATE), ASKED).items():
            for (maps, found), kind in itertools.product(told.items(), KINDS):
                scores[maps, meaning, kind] += scored(kind, true, found)
    print("| maps | truth | what | true | told | precision | recall | ends off by, median |")
    print("|---|---|---|---|---|---|---|---|")
    for names, one in sorted(scores.items(), reverse=True):
        off = f"{np.median(one.off_s):.2f} s" if one.off_s else "-"
        numbers = f"{one.true} | {one.found} | {one.precision:.3f} | {one.recall:.3f} | {off}"
        print(f"| {' | '.join(names)} | {numbers} |")


if __name__ == "__main__":
    main()

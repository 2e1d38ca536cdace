"""What a gate saves on cameras that stand still, and what it costs.

    python -m benchmarks.gate                                    all of it
    python -m benchmarks.gate --part episodes --yards 24 --seconds 60

Yards are rendered with their truth and encoded, 640 x 360 at 10 frames/s, sampled at 5. Parts:

passes     of each yard and of each of `--clips`: which part of its frames is computed
missed     how often a frame is called unchanged though a body has come, gone or moved, by its size
           in patches of ViT-S at 224
episodes   what is told of zones off true maps beside what happens there; mIoU and AbsRel of maps
quality    mIoU and AbsRel of the demo weights against the truth
cost       streams per core with ViT-S by CPU time of whole jobs less that of their start, in turns

The last two are of the default threshold, the others of several.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Container
from pathlib import Path
from typing import Any

from benchmarks.gate.episodes import Episodes
from benchmarks.gate.jobs import cost, quality
from benchmarks.gate.missed import BANDS, count_missed, nobody
from benchmarks.gate.yard import Yard, samples, shares

PARTS = ("passes", "missed", "episodes", "quality", "cost")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.gate",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--part", choices=PARTS, action="append", help="all, where none is named")
    parser.add_argument("--yards", type=int, default=4)
    parser.add_argument("--seed", type=int, default=1, help="of the first one")
    parser.add_argument("--seconds", type=float, default=40, help="of each")
    parser.add_argument("--bodies", type=int, default=1, help="under way at most (default: 1)")
    parser.add_argument("--clips", type=Path, nargs="*", default=[])
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = measured(given, given.part or PARTS, Path(folder))
    if given.json:
        given.json.write_text(json.dumps(found, indent=1) + "\n")


def measured(given: argparse.Namespace, parts: Container[str], folder: Path) -> dict[str, Any]:
    """All parts, told as they come."""
    found: dict[str, Any] = {}

    def tell(part: str, said: Any) -> None:
        found[part] = said
        print(part, json.dumps(said), flush=True)

    if given.clips:
        tell("clips", {path.name: shares(samples(path)) for path in given.clips})
    passes, seen, episodes, yards = dict[str, Any](), nobody(), Episodes(), list[Yard]()
    for seed in range(given.seed, given.seed + given.yards):
        yard = Yard.made(seed, given.seconds, given.bodies, folder)
        frames = samples(yard.path)
        if "passes" in parts:
            passes[yard.path.name] = shares(frames)
        if "missed" in parts:
            count_missed(yard, frames, seen)
        if "episodes" in parts:
            episodes.add(yard, frames)
        yards.append(yard)
    if "passes" in parts:
        tell("passes", passes)
    if "missed" in parts:
        tell("missed", {"below, patches": BANDS, **seen})
    if "episodes" in parts:
        tell("episodes", episodes.summed())
    if "quality" in parts:
        tell("quality", quality(yards, folder))
    if "cost" in parts:
        tell("cost", cost(yards, folder, given.seconds))
    return found


if __name__ == "__main__":
    main()

"""How well things are followed through rendered worlds, and what that costs.

    python -m benchmarks.follow --out davis.json            J and F, at 112, 224 and 448 px
    python -m benchmarks.follow --cost --out davis.json     milliseconds a frame, by tiles

Demo weights, random ones, and pixels go through the same propagation from the same first frame.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.follow.footage import MODEL, PATCH, SIZE_WH, World, eye, world
from benchmarks.follow.trial import SEEDS, Agreement, trial
from operators.backbones.architectures import architecture
from operators.backbones.start import start_backbone
from operators.backbones.thread_pool import stay_on_one_core
from operators.bench.provenance import provenance
from operators.follow.masks import picture_mask
from operators.follow.propagation import directions, propagate
from operators.follow.rules import Rules
from operators.frames import FrameBatch, FrameInfo
from operators.weights.load import load_backbone

SCENES, SIZES = ("world", "yard"), (112, 224, 448)
FIRST_SEED = 700  # of clips that nothing was tuned on
TRIALS = {
    "demo": (("mask", "bilinear"), ("mask", "nearest"), ("click", "bilinear"), ("box", "bilinear")),
    "random": (("mask", "bilinear"), ("click", "bilinear")),
    "pixels": (("mask", "bilinear"), ("click", "bilinear")),
}
SIDES = (4, 8, 16, 1000)  # of tiles; the last: all pairs of patches
_LAPS = 5


def main() -> None:
    """Print a table, write it down."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.follow",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--clips", type=int, default=2, help="of each scene (default: 2)")
    parser.add_argument("--seconds", type=float, default=3, help="of a clip (default: 3)")
    parser.add_argument("--seed", type=int, default=FIRST_SEED, help="of the first clip")
    parser.add_argument("--size", action="append", type=int, help=f"default: {SIZES}")
    parser.add_argument("--cost", action="store_true", help="time it instead")
    parser.add_argument("--out", type=Path, help="JSON")
    chosen = parser.parse_args()
    began, sizes = provenance(), chosen.size or SIZES
    if chosen.cost:
        rows = [row for size in sizes for row in _costs(size)]
    else:
        worlds = _worlds(chosen.clips, chosen.seed, chosen.seconds)
        rows = [row for size in sizes for name in TRIALS for row in _agreements(worlds, size, name)]
    if chosen.out:
        settings = {"clips": chosen.clips, "seconds": chosen.seconds, "seed": chosen.seed}
        report = {"kind": "follow", "settings": settings, "origin": began, "rows": rows}
        chosen.out.write_text(json.dumps(report, indent=1) + "\n")


def _worlds(clips: int, first: int, seconds: float) -> list[World]:
    """So many of each scene that show anything large enough."""
    found = []
    for scene in SCENES:
        seed = first
        while sum(one.name.startswith(scene) for one in found) < clips:
            own = world(scene, seed, seconds)
            found += [own] if own else []
            seed += 1
    for own in found:
        print(f"{own.name}: {', '.join(own.names)}", flush=True)
    return found


def _agreements(worlds: list[World], size: int, name: str) -> list[dict[str, Any]]:
    look = eye(name)
    told: dict[tuple[str, str, str], Agreement] = defaultdict(Agreement)
    for own in worlds:
        patches = look(own.at(size))
        scene = own.name.split()[0]
        for seeded, way in TRIALS[name]:
            marked = SEEDS[seeded](own, patches[0])
            trial(own, patches, marked, way, told[scene, seeded, way], Rules())
    rows = []
    for (scene, seeded, way), found in sorted(told.items()):
        row = {"size": size, "eye": name, "scene": scene, "seed": seeded, "way": way}
        rows.append(row | found.plain())
        print(" | ".join(str(value) for value in rows[-1].values()), flush=True)
    return rows


def _costs(size: int) -> list[dict[str, Any]]:
    """Milliseconds of one core a frame, the least of some laps."""
    stay_on_one_core()
    height, width = size // PATCH, round(size * SIZE_WH[0] / SIZE_WH[1] / PATCH)
    rows = []
    for name in (MODEL, "dinov2_vits14"):
        arch = architecture(name)
        backbone = start_backbone(load_backbone(arch, "random"), blocks=(), threads=1)
        pixels = np.zeros((1, height * PATCH, width * PATCH, 3), np.uint8)
        batch = FrameBatch((FrameInfo.of_picture(),), pixels)
        row: dict[str, Any] = {"size": size, "grid": [height, width], "model": name}
        row["pass_ms"] = _least_ms(lambda: backbone(batch))  # noqa: B023
        draw = torch.Generator().manual_seed(0)
        known = directions(torch.randn(8, height, width, arch.width, generator=draw))
        labels = torch.rand(8, height, width, 2, generator=draw)
        for side in SIDES:
            row[f"tiles_{side}_ms"] = _least_ms(
                lambda: propagate(known[0], known, labels, Rules(), side=side)  # noqa: B023
            )
        wide = (height * PATCH, width * PATCH)
        row["mask_ms"] = _least_ms(lambda: picture_mask(labels[0], wide))  # noqa: B023
        rows.append(row)
        print(" | ".join(str(value) for value in row.values()), flush=True)
        backbone.close()
    return rows


def _least_ms(work: Any) -> float:
    laps = []
    for _ in range(_LAPS):
        began = time.process_time()
        work()
        laps.append((time.process_time() - began) * 1000)
    return round(min(laps), 2)


if __name__ == "__main__":
    main()

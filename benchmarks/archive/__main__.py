"""What is lost by keeping features, how large they are, and how much faster heads run over them.

    python -m benchmarks.archive --out results/d-archive.json              quality: minutes
    python -m benchmarks.archive --clip a.mp4 --clip b.mp4                 and speed

Heads of the demo weights on rendered scenes that the basis was not fitted on; beside the truth,
and beside what the heads say of the features as they were. `plain`: a basis that knows no heads.
`others`: one that knows the two other heads, as a head that comes later finds it. Beside them
random weights with random heads, and pixels: frames stored as JPEGs of the backbone's size.
"""

from __future__ import annotations

import argparse
import json
import logging
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from benchmarks.archive.footage import Rendered, Seen, rendered, seen, stored_as_jpeg
from benchmarks.archive.quality import Change, answers, as_it_is, scores
from benchmarks.archive.speed import speed
from benchmarks.archive.trip import Trip, fitted
from operators.archive.layout import Layout
from operators.bench.provenance import provenance
from pipeline.configuration.resolve import resolve
from pipeline.engine.assembly import Assembly, assemble
from pipeline.fit.fit_features import read_by_heads
from pipeline.media.frame_size import FrameSize

log = logging.getLogger("benchmarks.archive")

HELD_OUT = 1 << 40  # from this seed on no weights of ours were trained
FIT, TEST = range(71_000, 71_020), range(HELD_OUT + 72_000, HELD_OUT + 72_020)  # of scenes
COMPONENTS, BITS, QUALITIES = (16, 32, 64, 96, 192), (4, 6, 8), (75, 90, 95)
HEADS = ("depth", "segmentation", "action")
CELLS = 4
BACKBONES: Mapping[str, dict[str, Any]] = {
    "demo weights, 112 px": {"weights": "demo"},
    "dinov2_vits14, random weights, 224 px": {"weights": "random", "short_side": 224},
}
VIT_S = {"depth": 12, "width": 384, "registers": 0}
GRID_HW, DAY = (16, 28), 5 * 86_400


def main() -> None:
    """Print tables, and write a report."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.archive",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--out", type=Path, help="a JSON file for the figures")
    parser.add_argument("--clip", type=Path, action="append", default=[], help="for the speed")
    parser.add_argument(
        "--scenes", type=int, default=len(TEST), help="that are measured on; 0: none"
    )
    chosen = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    torch.set_num_threads(1)
    report: dict[str, Any] = {"benchmark": "archive", "origin": provenance()}
    report["sizes"] = list(_sizes())
    if chosen.scenes:
        size = FrameSize(112, 14)
        learnt = list(rendered(FIT, size, CELLS))
        tested = list(rendered(TEST[: chosen.scenes], size, CELLS))
        report |= {name: list(_quality(name, learnt, tested)) for name in ("demo", "random")}
    if chosen.clip:
        with tempfile.TemporaryDirectory() as folder:
            for name, backbone in BACKBONES.items():
                own = Path(folder) / name[:4]
                report[f"speed, {name}"] = speed(chosen.clip, own, backbone)
    if chosen.out:
        chosen.out.write_text(json.dumps(report, indent=1) + "\n")
    print(json.dumps(report, indent=1))


def _quality(
    weights: str, learnt: Sequence[Rendered], tested: Sequence[Rendered]
) -> Iterator[dict[str, Any]]:
    """Scores of every way to keep the features of some weights."""
    assembly = _assembled(weights)
    backbone = assembly.engine.backbone
    heads = tuple(assembly.operators[name] for name in HEADS)
    own = [seen(backbone, scene) for scene in tested]
    direct = answers(own, heads)

    def row(name: str, scenes: Sequence[Seen], change: Change, size: float) -> dict[str, Any]:
        found = scores(scenes, direct, answers(scenes, heads, change), heads[0]).to_json()
        log.info("%s, %s: %.1f kB %s", weights, name, size / 1000, found)
        return {"kept": name, "frame_bytes": round(size), **found}

    grid_hw = own[0].batches[0].patches.shape[1:3]
    yield row("all", own, as_it_is, 2 * 192 * grid_hw[0] * grid_hw[1])
    whole, demo = _layout(backbone, 192), weights == "demo"
    by_head = {name: read_by_heads([assembly.operators[name]], whole, backbone) for name in HEADS}
    fit = [seen(backbone, scene) for scene in learnt]
    for name, trip in _trips(fit, backbone, by_head, small=not demo):
        packed = {"packed_bytes": round(trip.packed_bytes(own))} if trip.bits == 8 else {}
        yield row(name, own, trip, trip.frame_bytes(grid_hw)) | packed
    for quality in QUALITIES if demo else ():
        jpegs = [[stored_as_jpeg(one, quality) for one in scene.pictures] for scene in tested]
        size = np.mean([size for some in jpegs for _, size in some])
        stored = [
            seen(backbone, scene, [picture for picture, _ in some])
            for scene, some in zip(tested, jpegs, strict=True)
        ]
        yield row(f"pixels, JPEG {quality}", stored, as_it_is, float(size))


def _trips(
    learnt: Sequence[Seen], backbone: Any, by_head: Mapping[str, Any], *, small: bool
) -> Iterator[tuple[str, Trip]]:
    known = _joined(backbone, list(by_head.values()))
    for components in (64,) if small else COMPONENTS:
        layout = _layout(backbone, components)
        directions = fitted(learnt, layout, known)
        for bits in BITS if components == 64 and not small else (8,):
            yield f"heads, {components} x {bits} bits", Trip(layout, directions, bits)
    for components in (64, 192):
        layout = _layout(backbone, components)
        trip = Trip(layout, fitted(learnt, layout, _joined(backbone, [])))
        yield f"plain, {components} x 8 bits", trip
    for left in by_head if not small else ():
        others = _joined(backbone, [own for name, own in by_head.items() if name != left])
        for components in (64, 96, 128, 192):
            layout = _layout(backbone, components)
            trip = Trip(layout, fitted(learnt, layout, others))
            yield f"others than {left}, {components} x 8 bits", trip


def _joined(backbone: Any, read: Sequence[Mapping[str, Sequence[Tensor]]]) -> dict[str, Any]:
    names = _layout(backbone, 1).maps
    return {name: [one for own in read for one in own[name]] for name in names}


def _layout(backbone: Any, components: int) -> Layout:
    return Layout.of(backbone.blocks, depth=12, components=components, width=192, registers=0)


def _assembled(weights: str) -> Assembly:
    own = {"weights": weights, "model": "dinov2_vitti14", "short_side": 112, "runtime": "inline"}
    return assemble(resolve(None, {**own, "operators": list(HEADS), "backend": "torch"}))


def _sizes() -> Iterator[dict[str, Any]]:
    """Of a camera at 5 frames a second, ViT-S, 16 x 28 patches."""
    for name, blocks in {"the last block": (11,), "four blocks": (2, 5, 8, 11)}.items():
        for components in (32, 64, 96):
            layout = Layout.of(blocks, components=components, **VIT_S)
            size = layout.frame_bytes(GRID_HW)
            yield {
                "kept": name,
                "components": components,
                "frame_bytes": size,
                "float16_bytes": 2 * 384 * len(layout.maps) * GRID_HW[0] * GRID_HW[1],
                "camera_day_gb": round(size * DAY / 1e9, 2),
            }


if __name__ == "__main__":
    main()

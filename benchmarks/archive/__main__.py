"""What is lost by keeping features, how large they are, and how much faster heads run over them.

    python -m benchmarks.archive --out results/d-archive.json              quality: minutes
    python -m benchmarks.archive --clip a.mp4 --clip b.mp4 --rounds 3      and speed

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
from torch import Tensor

from benchmarks.archive.footage import Seen, one_core, seen, stored_as_jpeg
from benchmarks.archive.quality import answers, scores
from benchmarks.archive.speed import speed
from benchmarks.archive.trip import Trip, fitted
from operators.archive.layout import Layout
from operators.bench.provenance import provenance
from pipeline.configuration.resolve import resolve
from pipeline.engine.assembly import Assembly, assemble
from pipeline.fit.fit_features import read_by_heads
from pipeline.fit.scenes import Scenes
from pipeline.media.frame_size import FrameSize
from pipeline.synthetic.scene import open_scene

log = logging.getLogger("benchmarks.archive")

FIT, TEST = range(71_000, 71_048), range(72_000, 72_040)  # seeds of scenes
COMPONENTS, BITS, QUALITIES = (16, 32, 64, 96, 192), (4, 6, 8), (75, 90, 95)
HEADS = ("depth", "segmentation", "action")
CELLS = 4
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
    parser.add_argument("--rounds", type=int, default=3, help="of the speed (default: 3)")
    parser.add_argument("--scenes", type=int, default=len(TEST), help="that are measured on")
    chosen = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    one_core()
    report: dict[str, Any] = {"benchmark": "archive", "origin": provenance()}
    report["demo"] = list(_quality("demo", chosen.scenes))
    report["random"] = list(_quality("random", chosen.scenes))
    report["sizes"] = list(_sizes())
    if chosen.clip:
        with tempfile.TemporaryDirectory() as folder:
            for name, backbone in {
                "demo": {"weights": "demo"},
                "dinov2_vits14, random, 224 px": {"weights": "random", "short_side": 224},
            }.items():
                own = Path(folder) / name[:4]
                report[f"speed, {name}"] = speed(chosen.clip, own, backbone, chosen.rounds)
    if chosen.out:
        chosen.out.write_text(json.dumps(report, indent=1) + "\n")
    print(json.dumps(report, indent=1))


def _quality(weights: str, count: int) -> Iterator[dict[str, Any]]:
    """Scores of every way to keep the features of some weights."""
    assembly = _assembled(weights)
    backbone, size = assembly.engine.backbone, FrameSize(112, 14)
    heads = tuple(assembly.operators[name] for name in HEADS)
    learnt = list(seen(backbone, FIT, size, CELLS))
    tested = list(seen(backbone, TEST[:count], size, CELLS))
    direct = answers(tested, heads)

    def row(name: str, scenes: Sequence[Seen], change: Any, size_bytes: float) -> dict[str, Any]:
        found = scores(scenes, direct, answers(scenes, heads, change), heads[0]).to_json()
        log.info("%s %s: %.1f kB %s", weights, name, size_bytes / 1000, found)
        return {"kept": name, "frame_bytes": round(size_bytes), **found}

    grid_hw = tested[0].batches[0].patches.shape[1:3]
    whole = _layout(backbone, 192)
    yield row("all", tested, lambda features: features, 2 * 192 * grid_hw[0] * grid_hw[1])
    by_head = {name: read_by_heads([assembly.operators[name]], whole, backbone) for name in HEADS}
    for name, trip in _trips(learnt, backbone, by_head, small=weights != "demo"):
        yield row(name, tested, trip, trip.frame_bytes(grid_hw))
    for quality in QUALITIES if weights == "demo" else ():
        stored = list(seen(backbone, TEST[:count], size, CELLS, quality))
        yield row(
            f"pixels, JPEG {quality}", stored, lambda features: features, _jpeg(quality, size)
        )


def _trips(
    learnt: Sequence[Seen], backbone: Any, by_head: Mapping[str, Any], *, small: bool
) -> Iterator[tuple[str, Trip]]:
    known = _joined(backbone, list(by_head.values()))
    for components in (64,) if small else COMPONENTS:
        layout = _layout(backbone, components)
        directions = fitted(learnt, layout, known)
        for bits in BITS if components == 64 and not small else (8,):
            yield f"heads, {components} x {bits} bits", Trip(layout, directions, bits)
    layout = _layout(backbone, 64)
    yield "plain, 64 x 8 bits", Trip(layout, fitted(learnt, layout, _joined(backbone, [])))
    for left in by_head if not small else ():
        others = _joined(backbone, [own for name, own in by_head.items() if name != left])
        for components in (64, 96, 128):
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


def _jpeg(quality: int, size: FrameSize) -> float:
    """Mean bytes of a frame."""
    own = Scenes("world", TEST)
    frames = [open_scene(own.spec(seed, size)).render(0).rgb for seed in TEST[:10]]
    return float(np.mean([stored_as_jpeg(one, quality)[1] for one in frames]))


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

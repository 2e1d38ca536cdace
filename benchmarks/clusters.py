"""What vectors know of kinds of scenes and of copies: a backbone beside random weights and pixels.

    python -m benchmarks.clusters [--scenes 20] [--model dinov2_vitti14] [--weights demo]
        [--short-side 112] [CLIP...]

Rooms, streets and yards are rendered, and clustered by the vectors of two frames of
each: how far do the clusters agree with the kinds. Of the clips, or else of the scenes, copies are
made, and the share of them is told that is found at a precision.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from operators.errors import DinostreamError
from operators.groups.agreement import adjusted_rand, purity
from operators.groups.grid import Units, unit_rows
from operators.groups.kmeans import spherical_kmeans
from operators.groups.silhouette import choose_k
from operators.groups.whitening import centred
from pipeline.configuration.sources import plan_recordings
from pipeline.dedupe.alterations import ALTERATIONS
from pipeline.dedupe.calibrating import calibrated, copies_of
from pipeline.dedupe.looking import Look, Looking
from pipeline.dedupe.moments import Moments, moments_of
from pipeline.features.backbone import open_backbone
from pipeline.media.frame_size import FrameSize
from pipeline.synthetic.scene import open_scene
from pipeline.synthetic.uri import SceneSpec

KINDS = ("room", "street", "yard")
SECONDS, FPS = 8.0, 5
PIXELS = 8  # a side
PRECISION, APART_S = 0.99, 60.0


@dataclass(frozen=True, slots=True)
class Agreement:
    """Of clusters with kinds of scenes.

    Attributes:
        rand: adjusted Rand index, with as many clusters as kinds.
        purity: of the same.
        k: how many clusters stand apart best.
    """

    rand: float
    purity: float
    k: int


def pixels(pictures: Sequence[NDArray[np.uint8]]) -> Units:
    """Pictures as 8 x 8 pixels: what a backbone has to beat."""
    small = [
        np.asarray(Image.fromarray(one).resize((PIXELS, PIXELS), Image.Resampling.BOX))
        for one in pictures
    ]
    return unit_rows(np.stack(small).reshape(len(small), -1))


def rendered(kind: str, seeds: Sequence[int], short_side: int) -> Iterator[Moments]:
    """Two frames of each scene of a kind."""
    size_wh = (short_side * 16 // 9 // 2 * 2, short_side)
    for seed in seeds:
        spec = SceneSpec(kind, seed=seed, seconds=SECONDS, fps=FPS, size_wh=size_wh)
        scene, last = open_scene(spec), round(SECONDS * FPS) - 1
        times = (last // 4, last)
        frames = [scene.render(index).rgb for index in times]
        yield Moments(f"{kind}-{seed}", [index / FPS for index in times], frames)


def agreement(units: Units, kinds: NDArray[np.int64]) -> Agreement:
    """How far clusters of vectors are kinds."""
    own = centred(units)
    found = spherical_kmeans(own, len(set(kinds.tolist())), restarts=10)
    labels = found.labels
    return Agreement(adjusted_rand(labels, kinds), purity(labels, kinds), choose_k(own).k)


def found_copies(recordings: Sequence[Moments], look: Look) -> str:
    """The share of copies that is found at the precision, by which comparison and from where on."""
    copies = copies_of(recordings, ALTERATIONS, look)
    try:
        one = calibrated(copies, model="", short_side=0, precision=PRECISION, apart_s=APART_S)
    except DinostreamError as error:
        return f"none ({str(error).partition('. ')[0]})"
    worst = min(one.recalls, key=lambda name: one.recalls[name])
    return (
        f"{one.point.recall:.3f}, {one.comparison}, from {one.point.threshold:.2f}; "
        f"{worst} {one.recalls[worst]:.2f}"
    )


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("clips", nargs="*", metavar="CLIP")
    options.add_argument("--scenes", type=int, default=20, help="of each kind")
    options.add_argument("--model", default="dinov2_vitti14")
    options.add_argument("--weights", default="demo")
    options.add_argument("--short-side", type=int, default=112)
    given = options.parse_args()
    seeds = range(1000, 1000 + given.scenes)  # none that the demo's weights have learnt from
    scenes = {kind: list(rendered(kind, seeds, 2 * given.short_side)) for kind in KINDS}
    recordings = [one for kind in KINDS for one in scenes[kind]]
    frames = [picture for one in recordings for picture in one.pictures]
    kinds = np.repeat(np.arange(len(KINDS)), 2 * given.scenes)
    if given.clips:
        plans, size = plan_recordings(given.clips), FrameSize(2 * given.short_side, 14)
        recordings = list(moments_of(plans, size, fps=1.0, most=30, tell=lambda *_: None))
    with ExitStack() as stack:
        looks: dict[str, Look] = {f"{PIXELS} x {PIXELS} pixels": pixels}
        for weights in dict.fromkeys((given.weights, "random")):
            backbone = stack.enter_context(closing(open_backbone(given.model, weights)))
            looks[f"{given.model}, {weights}"] = Looking(backbone, given.short_side)
        for name, look in looks.items():
            units = np.concatenate([look([frame]) for frame in frames])
            said = agreement(units, kinds)
            print(
                f"| {name} | {said.rand:.3f} | {said.purity:.3f} | {said.k} | "
                f"{found_copies(recordings, look)} |",
                flush=True,
            )


if __name__ == "__main__":
    main()

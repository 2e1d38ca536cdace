"""Rendered clips: who is where in every frame, and what a backbone sees of it. Computed once, kept.

A scene and a seed in -> ids, labels and boxes that are true, and patches out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from benchmarks.tracking.metrics import Numbers
from operators.backbones.architectures import architecture
from operators.backbones.backbone import Backbone
from operators.backbones.start import start_backbone
from operators.frames import FrameBatch, FrameInfo
from operators.track.looks import looks
from operators.track.sightings import Sightings
from operators.weights.load import load_backbone
from pipeline.synthetic.labels import LABELS
from pipeline.synthetic.scene import open_scene
from pipeline.synthetic.uri import SceneSpec

RATE = 10  # frames a second that are rendered; lower rates take some of them
SIZE_WH = (392, 224)  # that boxes are pixels of
SEEN_WH = (196, 112)  # that the backbone sees
LEAST_PIXELS = 60  # a body of which less is seen is no truth
MOVABLE = ("box", "sphere", "vehicle")  # what a detector knows; some of it stands
MODEL = "dinov2_vitti14"
_BATCH = 8


@dataclass(frozen=True, slots=True)
class Seen:
    """One frame: true ids and labels `[n]`, boxes `[n, 4]`, and patches `[h, w, D]`."""

    ids: np.ndarray
    labels: np.ndarray
    boxes: Numbers
    patches: np.ndarray

    def with_looks(self, found: Sightings) -> Sightings:
        """Detections of this frame, with what a job would know of their looks."""
        shares = torch.from_numpy(found.boxes / np.tile(np.float32(SIZE_WH), 2))
        vectors = looks(shares[None], torch.from_numpy(self.patches)[None].float())[0]
        return Sightings(found.boxes, found.scores, found.labels, vectors.numpy())


def clip(scene: str, seed: int, seconds: float, weights: str, folder: Path) -> list[Seen]:
    """Every frame of a clip, from `folder` where it has been computed before.

    Args:
        scene: of `synthetic:`.
        seed: of the scene.
        seconds: how long.
        weights: of the backbone: `demo`, or `random`.
        folder: where clips are kept.
    """
    place = folder / f"{scene}-{seed}-{seconds:g}s-{weights}.npz"
    if not place.exists():
        folder.mkdir(parents=True, exist_ok=True)
        np.savez(place, **_arrays(scene, seed, seconds, weights))
    with np.load(place) as kept:
        frames, patches = kept["frame"], kept["patches"]
        rows = [frames == number for number in range(len(patches))]
        ids, labels, boxes = kept["id"], kept["label"], kept["box"]
        return [
            Seen(ids[own], labels[own], boxes[own], seen)
            for own, seen in zip(rows, patches, strict=True)
        ]


def _arrays(scene: str, seed: int, seconds: float, weights: str) -> dict[str, np.ndarray]:
    names = {label.name: label.id for label in LABELS.labels}
    truth = open_scene(SceneSpec(scene, seed=seed, seconds=seconds, fps=RATE, size_wh=SIZE_WH))
    bodies = [
        (number, one.id, names[one.label], one.box)
        for number in range(truth.frame_count)
        for one in truth.instances(number).seen
        if one.visible_pixels >= LEAST_PIXELS and one.label in MOVABLE
    ]
    frame, id_, label, box = zip(*bodies, strict=True)
    return {
        "frame": np.array(frame),
        "id": np.array(id_),
        "label": np.array(label),
        "box": np.array(box, dtype=np.float64),
        "patches": np.concatenate(list(_patches(scene, seed, seconds, weights))),
    }


def _patches(scene: str, seed: int, seconds: float, weights: str) -> Iterator[np.ndarray]:
    backbone = _backbone(weights)
    shown = open_scene(SceneSpec(scene, seed=seed, seconds=seconds, fps=RATE, size_wh=SEEN_WH))
    for first in range(0, shown.frame_count, _BATCH):
        numbers = range(first, min(first + _BATCH, shown.frame_count))
        pixels = np.stack([shown.render(number).rgb for number in numbers])
        infos = tuple(FrameInfo.of_picture() for _ in numbers)
        features = backbone(FrameBatch(infos, pixels))
        yield features.patches[: len(infos)].to(torch.float16).numpy().copy()


def _backbone(weights: str) -> Backbone:
    loaded = load_backbone(architecture(MODEL), weights)
    return start_backbone(loaded, blocks=(), batch_size=_BATCH, backend="torch")

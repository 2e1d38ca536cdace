"""What the operator `zones` tells of a yard: off maps that are true, or off those of a whole job.

A scene and zones in -> spells by kind, zone and label out, as its records say them.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.places.question import Answer, Question, info_of, seconds
from benchmarks.places.spell import Spell
from operators.backbones.architectures import architecture
from operators.segmentation.linear import segmentation_layout
from operators.segmentation.operator import Segmentation
from operators.weights.head_request import HeadRequest
from operators.weights.heads import Head
from operators.zones.operator import Zones, build_zones
from pipeline import subscribe
from pipeline.client.results import ZoneEpisode
from pipeline.fit.scenes import nearest
from pipeline.synthetic.labels import GROUND, LABELS
from pipeline.synthetic.scene import open_scene
from pipeline.synthetic.uri import SceneSpec

_KINDS = {"left": "stay", "dwell": "dwell", "occupancy": "occupancy"}
EPISODES = "zones.episodes"
MODEL = "dinov2_vitti14"
MAP_HW = (64, 112)  # four cells a patch, of pictures of 224 pixels
_SOUND = np.array(True)
_IDS = {label.name: label.id for label in LABELS.labels}


def told_of_true_maps(spec: SceneSpec, asked: Question) -> Answer:
    """What the operator makes of maps without a mistake, one for every frame of a scene."""
    return told_of_maps(spec, asked, _true_maps(spec))


def told_of_maps(
    spec: SceneSpec,
    asked: Question,
    maps: Iterable[NDArray[np.uint8]],
    repeated: Container[int] = (),
) -> Answer:
    """What the operator makes of maps.

    Args:
        spec: of the scene; its frame rate is that of the maps.
        asked: what it is asked.
        maps: class ids of each frame.
        repeated: numbers of the frames that a gate leaves out, whose maps nobody sees.
    """
    zones, results = _zones(asked), []
    for index, ids in enumerate(maps):
        info = info_of(spec, index)
        results += zones.repeat(info) if index in repeated else zones.say(info, ids, _SOUND)
    results += zones.reset(info.stream, "end")
    said = (json.loads(one.data) for one in results if one.operator == EPISODES)
    return _spells(
        (one["kind"], one["zone"], one["label"], _spell(one["start"], one["end"])) for one in said
    )


def _true_maps(spec: SceneSpec) -> Iterator[NDArray[np.uint8]]:
    scene = open_scene(spec)
    for index in range(scene.frame_count):
        frame = scene.instances(index)
        ids = np.zeros(int(frame.mask.max()) + 1, np.uint8)
        ids[0] = GROUND
        for one in frame.seen:
            ids[one.id] = _IDS[one.label]
        yield ids[nearest(frame.mask, MAP_HW)]


def _zones(asked: Question) -> Zones:
    """The operator beside a segmentation that nobody asks."""
    arch = architecture(MODEL)
    layout = segmentation_layout(arch, len(LABELS.labels))
    tensors = {name: torch.zeros(shape) for name, shape in layout.items()}
    segmentation = Segmentation(Head("segmentation", "none", tensors, "0" * 64), arch, LABELS)
    built = build_zones(asked.settings, HeadRequest("zones", arch, "0" * 64))
    zones = built.beside({"segmentation": segmentation})
    zones.place(info_of(SceneSpec(), 0).stream, asked.places)
    return zones


def told_of_job(spec: SceneSpec, asked: Question, side: int, folder: Path) -> Answer:
    """What a job with the demo weights publishes of a scene.

    Args:
        spec: of the scene; all of its frames are taken.
        asked: what it is asked.
        side: of a frame at the backbone, pixels.
        folder: of its configuration and records.

    Raises:
        CalledProcessError: the job failed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    sink, config = folder / f"{spec.seed}-{side}.db", folder / f"{spec.seed}-{side}.yaml"
    sink.unlink(missing_ok=True)
    config.write_text(json.dumps(_configuration(spec, asked, side, sink)))  # is YAML too
    command = [sys.executable, "-m", "pipeline", "run", str(config)]
    subprocess.run(command, check=True, stdout=sys.stderr)
    records = subscribe(f"sqlite:{sink}", topics=[EPISODES], follow=False)
    episodes = (one for one in records if isinstance(one, ZoneEpisode))
    return _spells(
        (one.kind, one.zone, one.label, Spell(one.start.time.timestamp(), one.end.time.timestamp()))
        for one in episodes
    )


def _configuration(spec: SceneSpec, asked: Question, side: int, sink: Path) -> dict[str, Any]:
    polygons = {
        one.name: {"polygon": [list(point) for point in one.points]} for one in asked.places.zones
    }
    return {
        "model": MODEL,
        "weights": "demo",
        "short_side": side,
        "sampling": {"fps": spec.fps},
        "stall_s": 120,  # a busy machine is no camera that has stalled
        "operators": {"segmentation": {}, "zones": asked.settings},
        "streams": {"yard": {"url": spec.canonical(), "zones": polygons}},
        "sink": f"sqlite:{sink}",
    }


def _spells(episodes: Iterable[tuple[str, str, str | None, Spell]]) -> Answer:
    """Stays and occupancies from start to end; of a dwell its start, and its end so far."""
    found = defaultdict(list)
    for kind, zone, label, spell in episodes:
        if kind in _KINDS:
            found[_KINDS[kind], zone, label].append(spell)
    return found


def _spell(start: Mapping[str, str], end: Mapping[str, str]) -> Spell:
    return Spell(seconds(start["time"]), seconds(end["time"]))

"""What the operator `track` tells of a yard off boxes that are true: visits to zones, crossings.

A scene and places in -> spells by kind, place and label out, as its records say them.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from benchmarks.places.question import Answer, Question, info_of, seconds
from benchmarks.places.spell import Spell
from operators.backbones.architectures import architecture
from operators.detect.finder import Guesses
from operators.detect.operator import Detect
from operators.frames import Features
from operators.result import Result
from operators.track.operator import Tracking, build_track
from operators.track.saying import CROSSED, VISITED
from operators.weights.head_request import HeadRequest
from operators.weights.heads import Head
from pipeline.synthetic.labels import THINGS
from pipeline.synthetic.scene import open_scene
from pipeline.synthetic.uri import SceneSpec

MODEL = "dinov2_vitti14"
LEAST_PIXELS = 60  # that are seen of a body which a detector is expected to find
_IDS = {label.name: label.id for label in THINGS.labels}


def told_of_true_boxes(spec: SceneSpec, asked: Question) -> Answer:
    """What the operator makes of boxes without a mistake, of every frame; looks are unknown."""
    scene, track, results = open_scene(spec), _track(asked), []
    sides = np.tile(np.array(spec.size_wh, np.float32), 2)
    for index in range(scene.frame_count):
        seen = [
            one
            for one in scene.instances(index).seen
            if one.label in asked.labels and one.visible_pixels >= LEAST_PIXELS
        ]
        info, count = info_of(spec, index), len(seen)
        boxes = np.array([one.box for one in seen], np.float32).reshape(count, 4) / sides
        labels = np.array([_IDS[one.label] for one in seen], np.float32)
        looks = np.zeros((count, 0), np.float32)
        results += track.say(info, boxes, np.ones(count, np.float32), labels, looks)
    results += track.reset(info.stream, "end")
    return _spells(results, asked.thresholds.min_s)


def _spells(results: Sequence[Result], least_s: float) -> Answer:
    """Visits that are over and lasted long enough, and crossings."""
    told: dict[tuple[str, str, str | None], list[Spell]] = defaultdict(list)
    for one in results:
        said = json.loads(one.data)
        if one.operator == VISITED and said["end"]:
            visit = Spell(seconds(said["start"]["time"]), seconds(said["end"]["time"]))
            if visit.end_s - visit.start_s >= least_s:
                told["visit", said["zone"], said["label"]["name"]].append(visit)
        elif one.operator == CROSSED:
            moment = Spell.around(one.info.event_time_us / 1e6)
            told[said["direction"], said["line"], said["label"]["name"]].append(moment)
    return told


class _Nobody:
    """Implements `operators.detect.finder.Finder`: nobody asks it, the boxes are there."""

    layers: Sequence[int] = ()

    def settings(self) -> Mapping[str, Any]:
        return {}

    def load(self, device: torch.device) -> None:
        """It has no weights."""

    def __call__(self, features: Features, rows: slice) -> Guesses:
        raise NotImplementedError


def _track(asked: Question) -> Tracking:
    """The operator beside a detector that nobody asks."""
    head, least = Head("detect", "none", {}, "0" * 64), [0.5] * len(THINGS.labels)
    detect = Detect(head, _Nobody(), THINGS, thresholds=least)
    request = HeadRequest("track", architecture(MODEL), "0" * 64)
    track = build_track({}, request).beside({"detect": detect})
    track.place(info_of(SceneSpec(), 0).stream, asked.places)
    return track

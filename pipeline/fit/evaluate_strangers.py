"""How well patches or pixels tell who never came before: rendered cameras in -> an evaluation out.

Where a stranger is in a picture is known, so cells are measured too. Knows no head and no files.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from operators.backbones.thread_pool import stay_on_one_core
from operators.errors import UsageError
from operators.learn.anomaly_ways import Distances, Way, frame_scores
from operators.learn.auroc import auroc, mean_over
from pipeline.fit.dense_plan import Tell
from pipeline.fit.evaluate_anomaly import CHANCE
from pipeline.fit.evaluation import Evaluation
from pipeline.fit.strangers import COVERED, Watched, watched
from pipeline.synthetic.uri import SceneSpec


def evaluate_scenes(
    specs: Sequence[SceneSpec],
    strangers: Sequence[str],
    ways: Mapping[str, Way],
    patch: int,
    *,
    what: str,
    tell: Tell,
) -> Evaluation:
    """Measure on rendered cameras, each with a memory of its own first half: AUROC of frames and
    of cells, means over cameras.

    Args:
        specs: still cameras.
        strangers: labels of bodies that none of them has seen when it learns.
        ways: name, "" for what is measured, -> what says how unlike the usual a cell is.
        patch: side of a cell, pixels.
        what: is measured, for people.
        tell: told how far it is.

    Raises:
        UsageError: in none of them a stranger comes.
    """
    cameras: list[Watched] = []
    for number, spec in enumerate(specs, start=1):
        seen = watched(spec, strangers, patch)
        cameras += [seen] if seen else []
        tell("scenes", number, len(specs))
    if not cameras:
        raise UsageError(
            f"no {' or '.join(strangers)} comes in the last third of any of these "
            f"{len(specs)} scenes; take more seeds, more --seconds or another --stranger"
        )
    stay_on_one_core()
    estimates = {}
    for name, way in ways.items():
        told = []
        for number, camera in enumerate(cameras, start=1):
            told.append(_told(way.learn(camera.learnt), camera))
            tell(name or "measured", number, len(cameras))
        further = f", {name}" if name else ""
        estimates[f"frames{further}"] = mean_over([frames for frames, _ in told])
        estimates[f"cells{further}"] = mean_over([cells for _, cells in told])
    left = len(specs) - len(cameras)
    left_out = f"in {left} of {len(specs)} scenes no stranger comes in the last third"
    frames = sum(len(one.calm) + len(one.strange) for one in cameras)
    chance = {"frames": CHANCE, "cells": CHANCE}
    return Evaluation(
        "anomaly", what, frames, len(cameras), estimates, chance, notes=(left_out,) if left else ()
    )


def _told(distances: Distances, camera: Watched) -> tuple[float, float]:
    """AUROC of frames and of cells, of one camera."""
    calm, strange = distances(camera.calm), distances(camera.strange)
    usual = np.concatenate([calm.ravel(), strange[camera.cells == 0]])
    cells = auroc(usual, strange[camera.cells >= COVERED])
    return auroc(frame_scores(calm), frame_scores(strange)), cells

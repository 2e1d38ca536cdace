"""How well a head of `anomaly` tells what is unusual: normal and odd recordings -> an evaluation.

Beside it stand random weights and pixels alone, where they are asked for: a camera may be easier
than it looks. Knows nothing of the command line.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from operators.anomaly.memory import Memory
from operators.anomaly.summary import frame_score, to_steps
from operators.backbones.backbone import Backbone
from operators.backbones.thread_pool import stay_on_one_core
from operators.errors import UsageError
from operators.learn.anomaly_ways import OfPixels, frame_scores
from operators.learn.auroc import auroc_over_files, mean_over
from operators.learn.estimate import Estimate
from operators.weights.heads import Head
from pipeline.features.clip import Clip
from pipeline.features.footage import Footage
from pipeline.features.glance import Glance
from pipeline.features.patch_grids import patch_grids
from pipeline.features.recorded import clip_spec
from pipeline.features.store import FeatureStore
from pipeline.fit.dense_plan import Tell
from pipeline.fit.evaluation import Evaluation
from pipeline.fit.fit_anomaly import AnomalyPlan, fit_anomaly
from pipeline.fit.provenance import held_against, source_of
from pipeline.media.frame_size import FrameSize
from pipeline.stream.chunk import Frames

Scores = NDArray[np.float64]
CHANCE = Estimate(0.5, None, None)
RANDOM, PIXELS = "random weights", "pixels"


@dataclass(frozen=True, slots=True)
class Kinds:
    """Recordings of one still camera.

    Attributes:
        normal: on which nothing is wrong, and which no fit was given.
        odd: in each frame of which something is.
        fitted: what the head was fitted on, from which others learn; none where none stand beside.
    """

    normal: tuple[str, ...]
    odd: tuple[str, ...]
    fitted: tuple[str, ...] = ()


def evaluate_recordings(
    head: Head,
    kinds: Kinds,
    backbone: Backbone,
    plan: AnomalyPlan,
    *,
    random: Callable[[], Backbone] | None,
    tell: Tell,
) -> Evaluation:
    """Measure a head on footage: AUROC of all frames, intervals over files.

    Args:
        head: of `fit anomaly`.
        kinds: the footage.
        backbone: the head's.
        plan: how frames are taken, and how a memory is made of `fitted`.
        random: opens a backbone of the same kind with random weights; None: nobody stands beside.
        tell: told how far it is.

    Raises:
        UsageError: one file on both sides, or of several shapes.
        GridError: footage of another shape than the head's.
        SourceError: one cannot be decoded; names it.
    """
    clips = [_clips(names, plan.fps) for names in (kinds.normal, kinds.odd)]
    if both := {one.content: one.path for one in clips[0]}.keys() & {c.content for c in clips[1]}:
        path = next(one.path for one in clips[0] if one.content in both)
        raise UsageError(f"{path} is among the normal recordings and among the odd ones")
    scores = _of_memory(head, clips, backbone, plan, tell)
    estimates = {"frames": auroc_over_files(*scores)}
    threshold = head.facts["threshold"]
    for name, files in zip(("over, normal", "over, odd"), scores, strict=True):
        estimates[name] = mean_over([float((one > threshold).mean()) for one in files])
    if random:
        with closing(random()) as other:
            fit = fit_anomaly(kinds.fitted, other, plan, tell=tell)
            own = Head("anomaly", RANDOM, fit.tensors, "0" * 64)
            estimates[f"frames, {RANDOM}"] = auroc_over_files(
                *_of_memory(own, clips, other, plan, tell)
            )
        size = FrameSize(plan.short_side, backbone.loaded.model.architecture.patch)
        pixels = _of_pixels(clips, _clips(kinds.fitted, plan.fps), size, tell)
        estimates[f"frames, {PIXELS}"] = auroc_over_files(*pixels)
    evaluation = Evaluation(
        "anomaly",
        head.source,
        sum(len(one) for files in scores for one in files),
        sum(map(len, clips)),
        estimates,
        {"frames": CHANCE},
        notes=("over: the share of a file's frames above the threshold, a mean of files",),
    )
    return held_against(evaluation, map(source_of, (*kinds.normal, *kinds.odd)), head.facts)


def _clips(names: Sequence[str], fps: float) -> list[Clip]:
    """Of the recordings, copies once, in a fixed order."""
    by_content: dict[str, Clip] = {}
    for name in names:
        clip = Clip(Path(name), fps, patches=True)
        by_content.setdefault(clip.content, clip)
    return list(by_content.values())


def _of_memory(
    head: Head, sides: Sequence[Sequence[Clip]], backbone: Backbone, plan: AnomalyPlan, tell: Tell
) -> list[list[Scores]]:
    """Scores of frames of every file, as the operator publishes them."""
    memory, glance = Memory(head, backbone.loaded.model.architecture), Glance(backbone)
    clips = [clip for side in sides for clip in side]
    with closing(FeatureStore(plan.cache, backbone, short_side=plan.short_side)) as store:
        for number, clip in enumerate(clips):
            ahead = clips[number + 1] if number + 1 < len(clips) else None
            for share in store.compute(clip, ahead=ahead):
                done = 100 * (number + (share or 0)) / len(clips)
                tell("features, of a hundred parts", round(done), 100)
        stay_on_one_core()
        return [[_scores(memory, store, clip, glance) for clip in side] for side in sides]


def _scores(memory: Memory, store: FeatureStore, clip: Clip, glance: Glance) -> Scores:
    found = []
    for grids in patch_grids(store, clip, glance):
        for patches in torch.from_numpy(grids.patches):
            found.append(frame_score(to_steps(memory.distances(patches[None])[0].numpy())))
    if not found:
        raise UsageError(f"{clip.path}: no frame in it; take it out")
    return np.array(found)


def _of_pixels(
    sides: Sequence[Sequence[Clip]], fitted: Sequence[Clip], size: FrameSize, tell: Tell
) -> list[list[Scores]]:
    total, begun = len(fitted) + sum(map(len, sides)), count()
    with closing(Footage()) as footage:

        def pictures(clip: Clip) -> Iterator[NDArray[np.uint8]]:
            tell(PIXELS, next(begun), total)
            for entry in footage.entries(clip_spec(clip, size)):
                if isinstance(entry, Frames):
                    yield entry.pixels

        every = (some for clip in fitted for some in pictures(clip))
        distances = OfPixels(size.patch).learn_all(every)
        return [
            [
                np.concatenate([frame_scores(distances(some)) for some in pictures(clip)])
                for clip in side
            ]
            for side in sides
        ]

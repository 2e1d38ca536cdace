"""What a backbone is worth: heads on it beside heads on others, trained and measured the same way.

Rendered scenes to train on and others to measure on -> evaluations out. Knows no command line.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np
from sklearn.model_selection import train_test_split

from operators.backbones.architectures import Architecture
from operators.backbones.backbone import Backbone
from operators.backbones.thread_pool import stay_on_one_core
from operators.depth.operator import Depth
from operators.errors import UsageError
from operators.learn.depth_head import depth_blocks
from operators.learn.examples import Examples
from operators.learn.splits import Parts
from operators.learn.vector_fit import Recipe, fit_vector_head
from operators.operator import Operator
from operators.segmentation.operator import Segmentation
from operators.weights.heads import Head
from pipeline.fit.contender import Contender, blocks_read
from pipeline.fit.dense_plan import DensePlan, Fit, Tell
from pipeline.fit.evaluate_maps import evaluate_maps
from pipeline.fit.evaluate_vectors import evaluate_vectors
from pipeline.fit.evaluation import Evaluation
from pipeline.fit.fit_depth import fit_depth
from pipeline.fit.fit_segmentation import fit_segmentation, segmentation_blocks
from pipeline.fit.fitting import vector_facts
from pipeline.fit.provenance import provenance_facts
from pipeline.fit.scene_clips import scene_data_sha256, scene_examples
from pipeline.fit.scenes import Scenes, Task
from pipeline.media.frame_size import FrameSize
from pipeline.synthetic.labels import labels_of

TrialTask = Literal["segmentation", "depth", "action"]
_Head = tuple[Evaluation, Fit]
Heads = dict[str, _Head]


@dataclass(frozen=True, slots=True)
class Trial:
    """What contenders are compared by.

    Attributes:
        train: scenes that heads are trained on; frames of each for maps.
        held_out: scenes that they are measured on.
        clip_s: length of the clips of actions, seconds.
        plan: size, cache, seed.
        tasks: which heads are trained.
        steps: of the training of maps; None: each task's own.
        blocks: 1 or 4, that heads of maps read.
    """

    train: Scenes
    held_out: Scenes
    clip_s: float
    plan: DensePlan
    tasks: tuple[TrialTask, ...] = get_args(TrialTask)
    steps: int | None = None
    blocks: int = 4


@dataclass(frozen=True, slots=True)
class Measured:
    """One contender's heads.

    Attributes:
        title: of the contender, for people.
        architecture: of its backbone.
        source: of its weights, for people.
        untrained: they are random.
        evaluations: of its heads, by name.
        fits: of those that make a file.
    """

    title: str
    architecture: Architecture
    source: str
    untrained: bool
    evaluations: Mapping[str, Evaluation]
    fits: Mapping[str, Fit]


def measure(trial: Trial, contender: Contender, *, tell: Tell) -> Measured:
    """Train every head on one backbone and measure it.

    Args:
        trial: what is compared by.
        contender: whose backbone.
        tell: told how far it is.

    Raises:
        UsageError: the contender cannot be had, or the scenes are too few.
    """
    backbone = contender.open(trial.blocks)
    tell = named(contender.title, tell)
    heads: Heads = {}
    try:
        for task in trial.tasks:
            if task == "action":
                heads |= _action(trial, backbone, tell)
            else:
                heads[task] = _maps(task, trial, backbone, tell)
    finally:
        backbone.close()
    return measured_of(contender, backbone, heads)


def measured_of(contender: Contender, backbone: Backbone, heads: Heads) -> Measured:
    """What came out.

    Args:
        contender: whose.
        backbone: its own, open or closed.
        heads: by name: how good each is, and what makes its file.
    """
    loaded = backbone.loaded
    return Measured(
        contender.title,
        loaded.model.architecture,
        loaded.source,
        loaded.untrained,
        {name: evaluation for name, (evaluation, _) in heads.items()},
        {name: fit for name, (_, fit) in heads.items()},
    )


def named(title: str, tell: Tell) -> Tell:
    """`tell` with a contender's title before what is being done."""
    return lambda what, done, total: tell(f"{title}: {what}", done, total)


def _maps(task: Task, trial: Trial, backbone: Backbone, tell: Tell) -> _Head:
    fit = _trained(task, trial, backbone, tell)
    arch = backbone.loaded.model.architecture
    items = trial.held_out.items(task, FrameSize(trial.plan.short_side, arch.patch))
    operator = _operator(fit, arch, trial.train.scene)
    evaluation = evaluate_maps(
        operator, items, backbone, trial.plan, header=fit.facts, what="linear head", tell=tell
    )
    return evaluation, fit


def _trained(task: Task, trial: Trial, backbone: Backbone, tell: Tell) -> Fit:
    arch = backbone.loaded.model.architecture
    items = trial.train.items(task, FrameSize(trial.plan.short_side, arch.patch))
    plan = replace(trial.plan, rendered=True, steps=trial.steps)
    count = blocks_read(arch, trial.blocks)
    if task == "segmentation":
        blocks = segmentation_blocks(arch, count)
        labels = labels_of(trial.train.scene)
        return fit_segmentation(items, labels, backbone, plan, blocks=blocks, tell=tell)
    return fit_depth(items, None, backbone, plan, blocks=depth_blocks(arch, count), tell=tell)


def _operator(fit: Fit, arch: Architecture, scene: str) -> Operator:
    head = Head(fit.operator, "", fit.tensors, "0" * 64)
    if fit.operator == "segmentation":
        return Segmentation(head, arch, labels_of(scene))
    low, high = fit.facts["range_m"]
    return Depth(head, arch, range_m=(low, high), domain="own")


def _action(trial: Trial, backbone: Backbone, tell: Tell) -> Heads:
    """What moves where, a linear head by DINOv2's sweep, and the nearest neighbours."""
    size = FrameSize(trial.plan.short_side, backbone.loaded.model.architecture.patch)
    seen = [
        scene_examples(
            replace(scenes, seconds=trial.clip_s, frames=1),
            backbone,
            size=size,
            cache=trial.plan.cache,
            tell=tell,
        )
        for scenes in (trial.train, trial.held_out)
    ]
    stay_on_one_core()
    parts = _action_parts(seen[0], trial)
    sampling = {
        "fps": trial.train.fps,
        "frames": seen[0].frames,
        "stride": max(1, seen[0].frames // 2),
        "data": scene_data_sha256(seen[0], trial.train, size),
        **provenance_facts(seen[0].groups, rendered=True),
    }
    heads = {}
    for name, recipe in _RECIPES.items():
        tell(f"training {name}", 0, 0)
        fitted = fit_vector_head(seen[0], parts, replace(recipe, seed=trial.plan.seed))
        assert fitted.tensors is not None
        own = vector_facts(fitted, seen[0], backbone, short_side=size.short_side, kind="scenes")
        evaluation = evaluate_vectors(
            "action", fitted.tensors, own | sampling, seen[1], what=own["trained"]["chosen"]
        )
        heads[name] = evaluation, Fit("action", fitted.tensors, own | sampling)
    return heads


def _action_parts(examples: Examples, trial: Trial) -> Parts:
    """A fifth of the training scenes validates; the held-out ones are in neither part."""
    rows = np.arange(len(examples.rows))
    try:
        train, aside = train_test_split(
            rows,
            test_size=trial.plan.validation,
            stratify=examples.targets,
            random_state=trial.plan.seed,
        )
    except ValueError as error:
        raise UsageError(
            f"{len(rows)} scenes are too few to learn actions from: {error}"
        ) from error
    return Parts(np.sort(train), np.sort(aside), rows[:0])


_RECIPES = {
    "action": Recipe("motion"),
    "action, linear": Recipe("linear", ("mean", "concat")),
    "action, nearest neighbours": Recipe("knn", ("mean", "concat")),
}

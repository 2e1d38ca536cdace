"""What a backbone is worth: heads on it beside heads on random weights, trained the same way.

Rendered scenes to train on and others to measure on -> evaluations out. Knows no command line.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from sklearn.model_selection import train_test_split

from operators.backbone import Backbone
from operators.crew import stay_on_one_core
from operators.depth import Depth
from operators.errors import UsageError
from operators.heads import Head
from operators.learn.depth_head import depth_blocks
from operators.learn.examples import Examples
from operators.learn.splits import Parts
from operators.learn.vector_fit import Recipe, fit_vector_head
from operators.segmentation import Segmentation
from pipeline.fit.dense_plan import DensePlan, Fit, Tell
from pipeline.fit.evaluate_maps import evaluate_maps
from pipeline.fit.evaluate_vectors import evaluate_vectors
from pipeline.fit.evaluation import Evaluation
from pipeline.fit.fit_depth import fit_depth
from pipeline.fit.fit_segmentation import fit_segmentation, segmentation_blocks
from pipeline.fit.fitting import vector_facts
from pipeline.fit.glance import open_backbone
from pipeline.fit.scene_clips import scene_data_sha256, scene_examples
from pipeline.fit.scenes import Scenes
from pipeline.synthetic.labels import LABELS

TASKS = ("segmentation", "depth", "action")


@dataclass(frozen=True, slots=True)
class Trial:
    """What is compared.

    Attributes:
        model: architecture.
        weights: what is measured; `random` is measured beside it.
        train: scenes that heads are trained on; frames of each for maps.
        held_out: scenes that they are measured on.
        clip_s: length of the clips of actions, seconds.
        plan: size, cache, seed.
        tasks: some of `TASKS`.
        steps: of the training of maps; None: each task's own.
        blocks: 1 or 4, that heads of maps read.
    """

    model: str
    weights: str
    train: Scenes
    held_out: Scenes
    clip_s: float
    plan: DensePlan
    tasks: tuple[str, ...] = TASKS
    steps: int | None = None
    blocks: int = 4


@dataclass(frozen=True, slots=True)
class Measured:
    """One backbone's heads: their evaluations by name, and the fits of those that make a file."""

    evaluations: Mapping[str, Evaluation]
    fits: Mapping[str, Fit]


def measure(trial: Trial, weights: str, *, tell: Tell) -> Measured:
    """Train every head on one backbone and measure it.

    Args:
        trial: what is compared.
        weights: `random`, or the trial's own.
        tell: told how far it is.
    """
    arch_blocks = _blocks(trial)
    backbone = open_backbone(trial.model, weights, seed=trial.plan.seed, blocks=arch_blocks)
    evaluations: dict[str, Evaluation] = {}
    fits: dict[str, Fit] = {}
    try:
        for task in trial.tasks:
            _TASKS[task](trial, backbone, evaluations, fits, _named(weights, tell))
    finally:
        backbone.close()
    return Measured(evaluations, fits)


def _segmentation(
    trial: Trial,
    backbone: Backbone,
    evaluations: dict[str, Evaluation],
    fits: dict[str, Fit],
    tell: Tell,
) -> None:
    arch = backbone.loaded.model.architecture
    short_side = trial.plan.short_side
    fit = fit_segmentation(
        trial.train.items("segmentation", short_side),
        LABELS,
        backbone,
        _plan(trial),
        blocks=segmentation_blocks(arch, trial.blocks),
        tell=tell,
    )
    operator = Segmentation(Head("segmentation", "", fit.tensors, "0" * 64), arch, LABELS)
    items = trial.held_out.items("segmentation", short_side)
    evaluations["segmentation"] = evaluate_maps(
        operator, items, backbone, trial.plan, what="linear head", tell=tell
    )
    fits["segmentation"] = fit


def _depth(
    trial: Trial,
    backbone: Backbone,
    evaluations: dict[str, Evaluation],
    fits: dict[str, Fit],
    tell: Tell,
) -> None:
    arch = backbone.loaded.model.architecture
    short_side = trial.plan.short_side
    fit = fit_depth(
        trial.train.items("depth", short_side),
        None,
        backbone,
        _plan(trial),
        blocks=depth_blocks(arch, trial.blocks),
        tell=tell,
    )
    low, high = fit.facts["range_m"]
    head = Head("depth", "", fit.tensors, "0" * 64)
    operator = Depth(head, arch, range_m=(low, high), domain="own")
    items = trial.held_out.items("depth", short_side)
    evaluations["depth"] = evaluate_maps(
        operator, items, backbone, trial.plan, what="linear head", tell=tell
    )
    fits["depth"] = fit


def _action(
    trial: Trial,
    backbone: Backbone,
    evaluations: dict[str, Evaluation],
    fits: dict[str, Fit],
    tell: Tell,
) -> None:
    """A linear head by DINOv2's sweep, and the nearest neighbours of the clips' tokens."""
    seen = [
        scene_examples(
            replace(scenes, seconds=trial.clip_s, frames=1),
            backbone,
            short_side=trial.plan.short_side,
            cache=trial.plan.cache,
            tell=tell,
        )
        for scenes in (trial.train, trial.held_out)
    ]
    stay_on_one_core()
    parts = _action_parts(seen[0], trial)
    short_side = trial.plan.short_side
    sampling = {
        "fps": trial.train.fps,
        "frames": seen[0].frames,
        "stride": max(1, seen[0].frames // 2),
        "data": scene_data_sha256(seen[0], trial.train, short_side),
    }
    for name, recipe in _RECIPES.items():
        tell(f"training {name}", 0, 0)
        fitted = fit_vector_head(seen[0], parts, replace(recipe, seed=trial.plan.seed))
        assert fitted.tensors is not None
        own = vector_facts(fitted, seen[0], backbone, short_side=short_side, kind="scenes")
        evaluations[name] = evaluate_vectors(
            "action", fitted.tensors, own, seen[1], what=own["trained"]["chosen"]
        )
        fits[name] = Fit("action", fitted.tensors, own | sampling)


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


def _plan(trial: Trial) -> DensePlan:
    return replace(trial.plan, rendered=True, steps=trial.steps)


def _blocks(trial: Trial) -> tuple[int, ...]:
    from operators.architectures import architecture

    return depth_blocks(architecture(trial.model), trial.blocks)


def _named(weights: str, tell: Tell) -> Tell:
    return lambda what, done, total: tell(f"{Path(weights).name}: {what}", done, total)


_RECIPES = {
    "action": Recipe("linear", ("mean", "concat")),
    "action, nearest neighbours": Recipe("knn", ("mean", "concat")),
}
_TASKS: Mapping[str, Callable[..., None]] = {
    "segmentation": _segmentation,
    "depth": _depth,
    "action": _action,
}

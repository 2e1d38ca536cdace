"""Pictures with depth maps -> a linear depth head in metres, judged on files that it did not see.

Knows nothing of the command line.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from torch import Tensor

from operators.backbones.backbone import Backbone
from operators.depth.operator import Depth
from operators.errors import UsageError
from operators.learn.dense_answers import answers
from operators.learn.dense_evaluation import DepthQuality, evaluate_depth
from operators.learn.dense_pictures import DensePictures
from operators.learn.dense_split import dense_split
from operators.learn.dense_training import Schedule
from operators.learn.depth_head import RATE, fit_depth_head
from operators.weights.heads import Head
from pipeline.features.reading import Reading
from pipeline.fit.dense_data import DenseData
from pipeline.fit.dense_fit import (
    checkpoint_of,
    computed_data,
    norm_on_cpu,
    notes_of,
    said,
    shared_facts,
)
from pipeline.fit.dense_item import DenseItem
from pipeline.fit.dense_plan import DensePlan, Fit, Tell

SCHEDULE = Schedule(steps=300, rate=RATE)  # from a start in closed form
_WHAT = "linear head, scale-invariant loss of log depth"
NEAREST_M = 0.001  # as official heads
FARTHEST_M = 255.0  # below what 16 bits can say in steps of 1/256 m
USUAL_M = 80.0  # what a head says at most unless told otherwise, as in the benchmarks


def fit_depth(
    items: Sequence[DenseItem],
    range_m: tuple[float, float] | None,
    backbone: Backbone,
    plan: DensePlan,
    *,
    blocks: Sequence[int],
    tell: Tell,
) -> Fit:
    """Train a head.

    Args:
        items: pictures whose truths are metres.
        range_m: smallest and largest depth that it can say; None: as far as the data go, at most
            80 m.
        backbone: frozen; keeps `blocks`.
        plan: how.
        blocks: 1 or 4, see `depth_blocks`.
        tell: told how far it is.

    Raises:
        UsageError: no depth is known, all of it is one, or the range does not do.
        SourceError: a file cannot be read; names it.
    """
    data = computed_data(
        items, backbone, plan, reading=Reading(tuple(blocks), normed=False), tell=tell
    )
    schedule = plan.schedule(SCHEDULE)
    range_m = _checked(range_m, reach_m(data))
    split = dense_split(
        data.groups, [frozenset()] * len(items), share=plan.validation, seed=plan.seed
    )
    tensors, fitted = fit_depth_head(
        data,
        split,
        range_m,
        schedule=schedule,
        tell=lambda done, total: tell("training", done, total),
        checkpoint=checkpoint_of(
            data, plan, split, schedule=schedule, task="depth", range_m=list(range_m)
        ),
    )
    quality = None
    if split.validation:
        quality = measure_depth(
            data, split.validation, tensors, range_m, backbone, tell=tell, seed=plan.seed
        )
    measured = quality.scores if quality else None
    metrics = said(measured.estimates if measured else None, fitted.losses)
    facts = {
        "range_m": list(range_m),
        "blocks": list(blocks),
        "metrics": metrics,
        **shared_facts(data, backbone, plan, split, schedule=schedule, what=_WHAT),
    }
    return Fit("depth", tensors, facts, notes_of(measured, plan))


def measure_depth(
    data: DensePictures,
    chosen: Sequence[int],
    tensors: dict[str, Tensor],
    range_m: tuple[float, float],
    backbone: Backbone,
    *,
    tell: Tell,
    seed: int = 0,
) -> DepthQuality:
    """Judge a head by the operator that will read it."""
    head = Head("depth", "this fit", tensors, "0" * 64)
    operator = Depth(head, backbone.loaded.model.architecture, range_m=range_m, domain="own")
    return evaluate_depth(
        data,
        chosen,
        answers(operator, operator.metres, norm_on_cpu(backbone)),
        range_m,
        seed=seed,
        tell=lambda done, total: tell("measuring", done, total),
    )


def reach_m(data: DenseData) -> tuple[float, float]:
    """Smallest and largest known depth of all truths, metres.

    Raises:
        UsageError: none is known, or it is the same everywhere.
    """
    low, high = math.inf, 0.0
    for truth in data.truths():
        known = truth[truth > 0]
        if known.size:
            low, high = min(low, float(known.min())), max(high, float(known.max()))
    if not low < high:
        raise UsageError("no depth map has any depth" if low > high else f"all depth is {low:g} m")
    return low, high


def _checked(wanted: tuple[float, float] | None, reach: tuple[float, float]) -> tuple[float, float]:
    low, high = wanted or (NEAREST_M, min(math.ceil(reach[1]), USUAL_M))
    if not 0 < low < high <= FARTHEST_M or low >= reach[1] or high <= reach[0]:
        raise UsageError(
            f"want a range within 0-{FARTHEST_M:g} m that meets the data, which go from "
            f"{reach[0]:g} m to {reach[1]:g} m; got {low:g} m to {high:g} m; is the scale right?"
        )
    return float(low), float(high)

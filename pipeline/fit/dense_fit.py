"""What the fits of both kinds of maps share: computing features before, and the header after.

Knows nothing of masks, depth or the command line.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from operators.backbones.backbone import Backbone
from operators.backbones.thread_pool import stay_on_one_core
from operators.learn.dense_training import Schedule, Split
from operators.learn.estimate import Estimate
from operators.result import canonical_json
from pipeline.features.reading import Reading
from pipeline.features.store import FeatureStore
from pipeline.fit.dense_data import DenseData
from pipeline.fit.dense_item import DenseItem
from pipeline.fit.dense_plan import DensePlan, Tell
from pipeline.fit.doubt import Measured, doubts
from pipeline.fit.provenance import provenance_facts
from pipeline.media.scaler import FILTER_NAME


def computed_data(
    items: Sequence[DenseItem],
    backbone: Backbone,
    plan: DensePlan,
    *,
    reading: Reading,
    tell: Tell,
    masks: bool = False,
) -> DenseData:
    """Features and truths of all pictures, computed where the cache does not hold them.

    Args:
        items: the pictures; of things where masks are read.
        backbone: whose features.
        plan: says where the cache is.
        reading: what the head reads.
        tell: told of every picture.
        masks: those of things are read too.
    """
    store = FeatureStore(plan.cache, backbone, short_side=plan.short_side)
    data = DenseData(store, items, reading=reading, masks=masks)
    data.compute(lambda done, total: tell("features", done, total))
    stay_on_one_core()  # where the cache held all of it, too: the same sums, and no barriers
    return data


def checkpoint_of(
    data: DenseData, plan: DensePlan, split: Split, *, schedule: Schedule, **kind: Any
) -> Path:
    """The file that this very training goes on from where it was killed.

    Args:
        data: what it is trained on.
        plan: says where the cache is.
        split: which pictures do what.
        schedule: of the steps.
        kind: all else that makes the weights what they are: the task, its range or classes.
    """
    what = {
        **kind,
        "data": data.identity,
        "split": [list(split.train), list(split.validation)],
        "schedule": asdict(schedule),
        "torch": torch.__version__,
    }
    name = hashlib.sha256(canonical_json(what)).hexdigest()[:40]
    return plan.cache / "training" / f"{name}.pt"


def shared_facts(
    data: DenseData,
    backbone: Backbone,
    plan: DensePlan,
    split: Split,
    *,
    schedule: Schedule,
    what: str,
) -> dict[str, Any]:
    """What the header says of every head of maps, as docs/heads.md lists it.

    Args:
        data: what it was trained on.
        backbone: whose features.
        plan: how.
        split: which pictures did what.
        schedule: of the steps.
        what: the kind of head and its loss, for people.
    """
    return {
        "backbone": backbone.loaded.sha256,
        "data": data.data_sha256,
        **provenance_facts(data.groups, rendered=plan.rendered),
        "model": backbone.loaded.model.architecture.name,
        "short_side": plan.short_side,
        "filter": FILTER_NAME,
        "normalisation": backbone.loaded.model.architecture.statistics.name,
        "trained": {
            "what": what,
            "pictures": len(split.train),
            "judged_by": len(split.validation),
            "schedule": asdict(schedule),
        },
    }


def said(estimates: Mapping[str, Estimate] | None, losses: Sequence[float]) -> dict[str, Any]:
    """A head's metrics as JSON values; none where no picture was put aside.

    Args:
        estimates: how good it is.
        losses: on the pictures put aside, as training went on.
    """
    if estimates is None:
        return {}
    plain = {name: one.plain() for name, one in estimates.items()}
    return {**plain, "validation_losses": [round(loss, 5) for loss in losses]}


def notes_of(measured: Measured | None, plan: DensePlan) -> tuple[str, ...]:
    """What a user should be told of a head's metrics.

    Args:
        measured: how good it is; None where no picture was put aside.
        plan: says what its pictures are of.
    """
    if measured is None:
        return ("WARNING: too few files to put some aside: nothing was measured",)
    return tuple(doubts(measured, kind="scenes" if plan.rendered else "files"))


def norm_on_cpu(backbone: Backbone) -> Callable[[Tensor], Tensor]:
    """The backbone's final norm for features that are on the CPU."""
    return deepcopy(backbone.loaded.model.norm).to("cpu", torch.float32)

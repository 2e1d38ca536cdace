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
from pipeline.fit.dense_item import DenseItem
from pipeline.fit.dense_plan import DensePlan, Tell
from pipeline.fit.dense_store import DenseStore, Reading
from pipeline.media.scaler import FILTER_NAME


def computed_store(
    items: Sequence[DenseItem],
    backbone: Backbone,
    plan: DensePlan,
    *,
    reading: Reading,
    tell: Tell,
) -> DenseStore:
    """Features and truths of all pictures, computed where the cache does not hold them."""
    store = DenseStore(plan.cache, backbone, items, short_side=plan.short_side, reading=reading)
    store.compute(lambda done, total: tell("features", done, total))
    stay_on_one_core()  # where the cache held all of it, too: the same sums, and no barriers
    return store


def checkpoint_of(
    store: DenseStore, plan: DensePlan, split: Split, *, schedule: Schedule, **kind: Any
) -> Path:
    """The file that this very training goes on from where it was killed.

    Args:
        store: what it is trained on.
        plan: says where the cache is.
        split: which pictures do what.
        schedule: of the steps.
        kind: all else that makes the weights what they are: the task, its range or classes.
    """
    what = {
        **kind,
        "data": store.identity,
        "split": [list(split.train), list(split.validation)],
        "schedule": asdict(schedule),
        "torch": torch.__version__,
    }
    name = hashlib.sha256(canonical_json(what)).hexdigest()[:40]
    return plan.cache / "training" / f"{name}.pt"


def shared_facts(
    store: DenseStore,
    backbone: Backbone,
    plan: DensePlan,
    split: Split,
    *,
    schedule: Schedule,
    what: str,
) -> dict[str, Any]:
    """What the header says of every head of maps, as docs/heads.md lists it.

    Args:
        store: what it was trained on.
        backbone: whose features.
        plan: how.
        split: which pictures did what.
        schedule: of the steps.
        what: the kind of head and its loss, for people.
    """
    return {
        "backbone": backbone.loaded.sha256,
        "data": store.data_sha256,
        "model": backbone.loaded.model.architecture.name,
        "short_side": plan.short_side,
        "filter": FILTER_NAME,
        "normalisation": "imagenet",
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


def notes_of(metrics: Mapping[str, Any]) -> tuple[str, ...]:
    """What a user should be told of them."""
    return () if metrics else ("too few files to put some aside: nothing was measured",)


def norm_on_cpu(backbone: Backbone) -> Callable[[Tensor], Tensor]:
    """The backbone's final norm for features that are on the CPU."""
    return deepcopy(backbone.loaded.model.norm).to("cpu", torch.float32)

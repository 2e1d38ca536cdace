"""`dinostream eval segmentation` and `eval depth`: a head against masks or depth maps."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipeline.cli.dense_options import (
    backbone_options,
    cache_folder,
    depth_items,
    depth_options,
    mask_items,
    mask_options,
    telling,
)
from pipeline.cli.eval_report import report, report_options

if TYPE_CHECKING:
    from operators.backbones.loaded import LoadedBackbone
    from operators.operator import Operator
    from pipeline.fit.dense_item import DenseItem


@click.command(
    "segmentation",
    epilog="Example: dinostream eval segmentation --head parts.safetensors --images held-out "
    "--masks masks -o results/eval",
)
@mask_options
@backbone_options
@report_options
def segmentation(*, head: str, out: Path | None, as_json: bool, **given: Any) -> int:
    """Measure a segmentation head: mIoU and pixel accuracy."""
    items, _ = mask_items(given)
    return _measure("segmentation", head, items, given, (out, as_json))


@click.command(
    "depth",
    epilog="Example: dinostream eval depth --head depth.safetensors --synthetic world "
    "--seeds 1000:1100",
)
@depth_options
@backbone_options
@report_options
def depth(*, head: str, out: Path | None, as_json: bool, **given: Any) -> int:
    """Measure a depth head in metres: AbsRel, RMSE and delta1."""
    items = depth_items(given)
    return _measure("depth", head, items, given, (out, as_json))


def _measure(
    task: str,
    head: str,
    items: Sequence[DenseItem],
    given: dict[str, Any],
    report_to: tuple[Path | None, bool],
) -> int:
    import torch

    from operators.backbones.architectures import architecture
    from operators.backbones.backbone import Backbone
    from operators.backbones.engines.choice import choose_engine
    from operators.backbones.machine import this_machine
    from operators.weights.load import load_backbone
    from pipeline.fit.dense_plan import DensePlan
    from pipeline.fit.evaluate_maps import evaluate_maps

    loaded = load_backbone(architecture(given["model"]), given["weights"], seed=given["seed"])
    operator = _operator(task, head, loaded, given["seed"])
    machine = this_machine()
    backbone = Backbone(
        loaded,
        blocks=operator.layers,
        threads=machine.cores,
        choice=choose_engine("auto", torch.device("cpu"), machine),
    )
    plan = DensePlan(given["short_side"], cache_folder(given["cache"]), seed=given["seed"])
    try:
        with telling("eval") as tell:
            measured = evaluate_maps(operator, items, backbone, plan, what=head, tell=tell)
    finally:
        backbone.close()
    out, as_json = report_to
    return report(measured, out, as_json=as_json)


def _operator(task: str, head: str, loaded: LoadedBackbone, seed: int) -> Operator:
    from operators.registry import build_operator

    return build_operator(
        task,
        {},
        architecture=loaded.model.architecture,
        backbone_sha256=loaded.sha256,
        head=head,
        random_seed=seed if loaded.untrained else None,
    )

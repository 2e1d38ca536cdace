"""`dinostream eval segmentation`, `depth` and `detect`: a head against masks, depths or boxes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import click

from operators.errors import UsageError
from pipeline.cli.condition_option import chosen_conditions, condition_option, write_shown
from pipeline.cli.dense_options import (
    boxed_items,
    boxed_options,
    cache_folder,
    depth_items,
    depth_options,
    frame_size,
    mask_items,
    mask_options,
    telling,
)
from pipeline.cli.eval_report import report, report_options
from pipeline.cli.options import backbone_config, backbone_options

if TYPE_CHECKING:
    from operators.backbones.loaded import LoadedBackbone
    from operators.conditions.condition import Condition
    from operators.operator import Operator
    from operators.segmentation.labelsets import LabelSet
    from pipeline.configuration.config import Config
    from pipeline.fit.dense_item import DenseItem


@click.command(
    "segmentation",
    epilog="Example: dinostream eval segmentation --head parts.safetensors --images held-out "
    "--masks masks -o results/eval",
)
@mask_options
@condition_option
@backbone_options
@report_options
def segmentation(
    *, head: str, out: Path | None, as_json: bool, conditions: Sequence[str], **given: Any
) -> int:
    """Measure a segmentation head: mIoU and pixel accuracy."""
    config = backbone_config(given, head=("segmentation", head))
    items, _ = mask_items(given, frame_size(config))
    under, notes = chosen_conditions(conditions, items)
    return _measure(config, items, given["cache"], (out, as_json), conditions=under, notes=notes)


@click.command(
    "depth",
    epilog="Example: dinostream eval depth --head depth.safetensors --synthetic world "
    "--seeds 1000:1100",
)
@depth_options
@condition_option
@backbone_options
@report_options
def depth(
    *, head: str, out: Path | None, as_json: bool, conditions: Sequence[str], **given: Any
) -> int:
    """Measure a depth head in metres: AbsRel, RMSE and delta1."""
    config = backbone_config(given, head=("depth", head))
    items = depth_items(given, frame_size(config))
    under, notes = chosen_conditions(conditions, items)
    return _measure(config, items, given["cache"], (out, as_json), conditions=under, notes=notes)


@click.command(
    "detect",
    epilog="Example: dinostream eval detect --head detect.safetensors --images held-out "
    "--boxes things.json -o results/eval",
)
@boxed_options
@backbone_options
@report_options
def detect(*, head: str, out: Path | None, as_json: bool, **given: Any) -> int:
    """Measure a head that finds things: AP50:95 and AP50 of boxes, and of masks where head and data
    have them, as COCO defines them."""
    from operators.detect.told_boxes import SUFFIX

    if head.endswith(SUFFIX):
        raise UsageError(f"{head}: boxes of a file are of its frames alone; eval measures a head")
    config = backbone_config(given, head=("detect", head))
    items, labels, _ = boxed_items(given, frame_size(config), fit=False)
    masks = _told_masks(config.heads["detect"]) and any(item.has_masks for item in items)
    settings = {"masks": True} if masks else {}
    return _measure(config, items, given["cache"], (out, as_json), labels, settings)


def _measure(
    config: Config,
    items: Sequence[DenseItem],
    cache: Path | None,
    report_to: tuple[Path | None, bool],
    labels: LabelSet | None = None,
    settings: Mapping[str, Any] = MappingProxyType({}),
    conditions: Sequence[Condition] = (),
    notes: Sequence[str] = (),
) -> int:
    from operators.backbones.architectures import architecture
    from operators.weights.head_needs import chosen_header
    from operators.weights.load import load_backbone
    from pipeline.features.backbone import feature_backbone
    from pipeline.fit.dense_plan import DensePlan
    from pipeline.fit.evaluate_maps import evaluate_maps

    ((task, head),) = config.heads.items()
    loaded = load_backbone(architecture(config.model), config.weights, seed=config.seed)
    operator = _operator(task, head, loaded, config.seed, settings)
    header = chosen_header(task, head) or {}
    backbone = feature_backbone(
        loaded, threads=config.threads, backend=config.backend, blocks=operator.layers
    )
    plan = DensePlan(config.short_side, cache_folder(cache), seed=config.seed)
    try:
        with telling("eval") as tell:
            measured = evaluate_maps(
                operator,
                items,
                backbone,
                plan,
                header=header,
                what=head,
                labels=labels,
                conditions=conditions,
                tell=tell,
            )
    finally:
        backbone.close()
    out, as_json = report_to
    measured = replace(measured, notes=(*measured.notes, *notes))
    code = report(measured, out, as_json=as_json)
    if out and conditions:
        path = write_shown(items, conditions, config, out / f"{task}.conditions.jpg")
        click.echo(f"wrote {path}", err=as_json)
    return code


def _told_masks(head: str) -> bool:
    """A head says that it has masks."""
    from operators.weights.head_needs import chosen_header

    decoder = (chosen_header("detect", head) or {}).get("decoder")
    return isinstance(decoder, Mapping) and bool(decoder.get("mask_width"))


def _operator(
    task: str, head: str, loaded: LoadedBackbone, seed: int, settings: Mapping[str, Any]
) -> Operator:
    from operators.registry import build_operator

    return build_operator(
        task,
        settings,
        architecture=loaded.model.architecture,
        backbone_sha256=loaded.sha256,
        head=head,
        random_seed=seed if loaded.untrained else None,
    )

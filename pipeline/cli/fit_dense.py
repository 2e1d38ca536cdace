"""`dinostream fit segmentation` and `fit depth`: pictures with a truth per pixel -> a head file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from operators.errors import UsageError
from pipeline.cli.dense_options import (
    FOLDER,
    cache_folder,
    depth_items,
    depth_options,
    frame_size,
    mask_items,
    mask_options,
    telling,
)
from pipeline.cli.options import FiniteRange, backbone_config, backbone_options, json_option
from pipeline.cli.vector_options import out_option

if TYPE_CHECKING:
    from pipeline.configuration.config import Config
    from pipeline.fit.dense_plan import DensePlan, Fit

_STEPS = click.option(
    "--steps",
    type=click.IntRange(1),
    show_default="1500 for segmentation, 300 for depth",
    help="Of the training.",
)
_RATE = click.option(
    "--rate",
    type=FiniteRange(0, 1, min_open=True),
    show_default="0.005 for segmentation, 1e-05 for depth",
    help="Learning rate.",
)
_BLOCKS = click.option(
    "--blocks",
    type=click.Choice(["1", "4"]),
    default="4",
    show_default=True,
    help="Blocks of the backbone that the head reads (clicks: the last one).",
)


@click.command(
    "segmentation",
    epilog="Example: dinostream fit segmentation --images pictures --masks masks "
    "--labels labels.csv -o parts.safetensors",
)
@mask_options
@click.option("--labels", type=FOLDER, metavar="CSV", help="id,name[,r,g,b] of each class.")
@click.option("--clicks", type=FOLDER, metavar="CSV", help="file,time,x,y,label: no masks.")
@click.option(
    "--around",
    type=click.IntRange(0, 8),
    default=0,
    show_default=True,
    help="Patches around a click that count as clicked.",
)
@_BLOCKS
@backbone_options
@_STEPS
@_RATE
@out_option("segmentation.safetensors")
@json_option
def segmentation(
    *, clicks: Path | None, around: int, blocks: str, out: Path, as_json: bool, **given: Any
) -> int:
    """Train a segmentation head for classes of your own, with masks or a few clicks per class."""
    from operators.backbones.architectures import architecture
    from pipeline.features.backbone import configured_backbone
    from pipeline.fit.fit_segmentation import fit_segmentation, segmentation_blocks

    config = backbone_config(given)
    if clicks is not None:
        return _clicks(clicks, around, out, as_json=as_json, given=given, config=config)
    items, labels = mask_items(given, frame_size(config))
    read, plan = (
        segmentation_blocks(architecture(config.model), int(blocks)),
        plan_of(given, config),
    )
    with closing(configured_backbone(config)) as backbone, telling() as tell:
        fit = fit_segmentation(items, labels, backbone, plan, blocks=read, tell=tell)
    return finish(fit, out, as_json=as_json)


@click.command(
    "depth",
    epilog="Example: dinostream fit depth --images pictures --depth maps --depth-scale 0.001 "
    "-o depth.safetensors",
)
@depth_options
@_BLOCKS
@click.option(
    "--range",
    "range_m",
    type=(float, float),
    default=None,
    metavar="LEAST MOST",
    show_default="as far as the data go, up to 80",
    help="Depth that the head can say, metres.",
)
@backbone_options
@_STEPS
@_RATE
@out_option("depth.safetensors")
@json_option
def depth(
    *,
    blocks: str,
    range_m: tuple[float, float] | None,
    out: Path,
    as_json: bool,
    **given: Any,
) -> int:
    """Train a depth head in metres for your own camera."""
    from operators.backbones.architectures import architecture
    from operators.learn.depth_head import depth_blocks
    from pipeline.features.backbone import configured_backbone
    from pipeline.fit.fit_depth import fit_depth

    config = backbone_config(given)
    items = depth_items(given, frame_size(config))
    read, plan = depth_blocks(architecture(config.model), int(blocks)), plan_of(given, config)
    with closing(configured_backbone(config, blocks=read)) as backbone, telling() as tell:
        fit = fit_depth(items, range_m, backbone, plan, blocks=read, tell=tell)
    return finish(fit, out, as_json=as_json)


def _clicks(
    path: Path, around: int, out: Path, *, as_json: bool, given: dict[str, Any], config: Config
) -> int:
    from pipeline.features.backbone import configured_backbone
    from pipeline.features.store import FeatureStore
    from pipeline.fit.clicks import clicked, read_clicks
    from pipeline.fit.fit_clicks import fit_clicks

    others = [key for key in ("images", "masks", "labels", "synthetic") if given[key]]
    if others:
        raise UsageError(f"--clicks goes without --{' and --'.join(others)}")
    clicks = read_clicks(path)
    cache = cache_folder(given["cache"])
    with (
        closing(configured_backbone(config)) as backbone,
        closing(FeatureStore(cache, backbone, short_side=config.short_side)) as store,
        telling() as tell,
    ):
        seen = clicked(clicks, store, around=around, tell=tell)
    fit = fit_clicks(seen, backbone, short_side=config.short_side, seed=config.seed)
    return finish(fit, out, as_json=as_json)


def plan_of(given: dict[str, Any], config: Config) -> DensePlan:
    """What the options say of how a head is fitted."""
    from pipeline.fit.dense_plan import DensePlan

    return DensePlan(
        config.short_side,
        cache_folder(given["cache"]),
        steps=given["steps"],
        rate=given["rate"],
        seed=config.seed,
        rendered=given["synthetic"] is not None,
    )


def finish(fit: Fit, out: Path, *, as_json: bool, further: Sequence[str] = ()) -> int:
    """Write the file and say how good it is.

    Raises:
        SinkError: it cannot be written.
    """
    from pipeline.fit.fitting import write_out

    sha256 = write_out(out, fit.operator, fit.tensors, fit.facts)
    notes = [*fit.notes, *further]
    if as_json:
        report = {"file": str(out), "sha256": sha256, "notes": notes, **fit.facts}
        click.echo(json.dumps(report))
        return 0
    for name, number in fit.facts["metrics"].items():
        if isinstance(number, dict):
            click.echo(f"{name:>20}  {said(number)}")
    for note in notes:
        click.echo(note)
    click.echo(f"wrote {out}: use it with --head {fit.operator}={out}")
    return 0


def said(number: dict[str, float | None]) -> str:
    """An estimate as people read it."""
    value, low, high = (number[key] for key in ("value", "low", "high"))
    text = "unknown" if value is None else f"{value:.3f}"
    return text if low is None or high is None else f"{text}  (95 %: {low:.3f} to {high:.3f})"

"""`dinostream fit detect`: pictures with boxes, or masks too -> a head that finds such things."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import click

from pipeline.cli.dense_options import boxed_items, boxed_options, frame_size, telling
from pipeline.cli.fit_dense import finish, plan_of
from pipeline.cli.options import FiniteRange, backbone_config, backbone_options, json_option
from pipeline.cli.vector_options import out_option


@click.command(
    "detect",
    epilog="Example: dinostream fit detect --images pictures --boxes things.json -o "
    "detect.safetensors, then dinostream replay footage/ --head detect=detect.safetensors",
)
@boxed_options
@click.option(
    "--queries",
    type=click.IntRange(1, 1000),
    default=50,
    show_default=True,
    help="Things that are found in a picture at most.",
)
@click.option(
    "--masks/--no-masks",
    default=None,
    show_default="where the data have some",
    help="Learn masks beside the boxes.",
)
@backbone_options
@click.option("--steps", type=click.IntRange(1), show_default="3000", help="Of the training.")
@click.option(
    "--rate",
    type=FiniteRange(0, 1, min_open=True),
    show_default="0.001",
    help="Learning rate.",
)
@out_option("detect.safetensors")
@json_option
def detect(*, queries: int, masks: bool | None, out: Path, as_json: bool, **given: Any) -> int:
    """Train a head that finds things of your own: boxes, and masks where your data have some."""
    from operators.backbones.architectures import architecture
    from operators.detect.decoder import DecoderShape, decoder_blocks
    from pipeline.features.backbone import configured_backbone
    from pipeline.fit.fit_detect import MASK_WIDTH, fit_detect, learns_masks

    config = backbone_config(given)
    items, labels, notes = boxed_items(given, frame_size(config))
    width = MASK_WIDTH if learns_masks(items, masks) else 0
    shape = DecoderShape(queries=queries, mask_width=width)
    blocks, plan = decoder_blocks(architecture(config.model)), plan_of(given, config)
    with closing(configured_backbone(config, blocks=blocks)) as backbone, telling() as tell:
        fit = fit_detect(items, labels, backbone, plan, shape=shape, tell=tell)
    return finish(fit, out, as_json=as_json, further=notes)

"""`dinostream fit anomaly`: footage on which nothing is wrong -> a head that tells what is new."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import click

from pipeline.cli.dense_options import cache_folder, telling
from pipeline.cli.fit_dense import finish
from pipeline.cli.options import FiniteRange, backbone_config, backbone_options, json_option
from pipeline.cli.vector_options import out_option


@click.command(
    "anomaly",
    epilog="Example: dinostream fit anomaly --normal gate/march/ -o gate.safetensors, then "
    "dinostream replay gate/april/ --operator anomaly --head anomaly=gate.safetensors",
)
@click.option(
    "--normal",
    metavar="DIR|FILE",
    required=True,
    multiple=True,
    help="Footage of one still camera on which nothing is wrong; several may be named.",
)
@click.option(
    "--fps",
    "frames_per_s",
    type=FiniteRange(min=0, min_open=True),
    default=1.0,
    show_default=True,
    help="Frames per second that are looked at.",
)
@click.option(
    "--prototypes",
    type=click.IntRange(1, 64),
    default=8,
    show_default=True,
    help="Remembered of each place.",
)
@click.option(
    "--quantile",
    type=FiniteRange(0, 1, min_open=True),
    default=0.999,
    show_default=True,
    help="Share of frames of recordings put aside that are not over the threshold.",
)
@backbone_options
@out_option("anomaly.safetensors")
@json_option
def anomaly(
    *,
    normal: tuple[str, ...],
    frames_per_s: float,
    prototypes: int,
    quantile: float,
    out: Path,
    as_json: bool,
    **given: Any,
) -> int:
    """Learn what every place of a still camera's view usually shows, and what is unusual."""
    from pipeline.features.backbone import configured_backbone
    from pipeline.fit.fit_anomaly import AnomalyPlan, fit_anomaly
    from pipeline.fit.normal_footage import normal_recordings

    config = backbone_config(given)
    recordings = normal_recordings(normal)
    plan = AnomalyPlan(
        cache_folder(given["cache"]),
        config.short_side,
        frames_per_s,
        prototypes,
        quantile,
        config.seed,
    )
    with closing(configured_backbone(config)) as backbone, telling() as tell:
        fit = fit_anomaly(recordings, backbone, plan, tell=tell)
    return finish(fit, out, as_json=as_json)

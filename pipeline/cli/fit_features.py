"""`dinostream fit features`: footage -> the basis that features are kept in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from pipeline.cli.countdown import countdown
from pipeline.cli.feature_options import engine_options
from pipeline.cli.options import configuration_values, fps_option, json_option, source_values
from pipeline.cli.vector_options import out_option


@click.command(
    "features",
    epilog="Example: dinostream fit features footage/ -o basis.safetensors, then dinostream "
    "replay footage/ --keep-features archive --basis basis.safetensors",
)
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE...")
@click.option(
    "--components",
    type=click.IntRange(1, 1536),
    default=64,
    show_default=True,
    help="Numbers that are kept of a patch; 1536 is all of any backbone, for heads that nobody "
    "knows yet.",
)
@click.option(
    "--frames",
    type=click.IntRange(1),
    default=2000,
    show_default=True,
    help="Most frames that are looked at, the first ones of each source.",
)
@fps_option
@engine_options
@out_option("basis.safetensors")
@json_option
def features(
    sources: tuple[str, ...],
    *,
    components: int,
    frames: int,
    out: Path,
    as_json: bool,
    **given: Any,
) -> int:
    """Find the directions in which patches of your footage differ, for --keep-features.

    Give the heads and operators of the run that will keep features: what they read is what is
    kept.
    """
    from pipeline.configuration.resolve import resolve
    from pipeline.fit.fit_features import BasisPlan, fit_features
    from pipeline.job import DONE, SOME_FAILED

    values = configuration_values(given) | source_values(sources, stream=None)
    config = resolve(None, values | {"runtime": "inline"})
    with countdown("fit") as tell:
        report = fit_features(config, BasisPlan(out, components, frames), tell=tell)
    click.echo(json.dumps(report.to_json()) if as_json else report.text())
    return SOME_FAILED if report.failed else DONE

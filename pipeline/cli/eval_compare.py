"""`dinostream eval compare`: weights against random weights and constant answers, on scenes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipeline.cli.dense_options import (
    FOLDER,
    cache_folder,
    scene_options,
    scenes_of,
    seed_range,
    telling,
)
from pipeline.cli.eval_report import said
from pipeline.cli.options import FiniteRange, backbone_config, backbone_options, json_option

if TYPE_CHECKING:
    from pipeline.fit.compare import Measured, Trial

_TASKS = ("segmentation", "depth", "action")


@click.command(
    "compare",
    epilog="Example: dinostream eval compare --synthetic world --train-seeds 0:400 "
    "--seeds 1000:1100 --model dinov2_vitti14 --weights demo --short-side 112",
)
@scene_options
@click.option("--train-seeds", metavar="A:B", required=True, help="Of the scenes to train on.")
@click.option(
    "--clip-seconds",
    type=FiniteRange(0, min_open=True),
    default=1.6,
    show_default=True,
    help="Length of the windows of actions, 5 frames/s; scenes are as long, or 2 or 4 times.",
)
@click.option(
    "--task",
    "tasks",
    type=click.Choice(_TASKS),
    multiple=True,
    show_default="all",
    help="Only these.",
)
@click.option(
    "--steps",
    type=click.IntRange(1),
    show_default="1500 for segmentation, 300 for depth",
    help="Of the training of maps.",
)
@click.option("--blocks", type=click.Choice(["1", "4"]), default="4", show_default=True)
@click.option("--alone", is_flag=True, help="Leave out the random weights.")
@click.option("--save", type=FOLDER, metavar="DIR", help="Keep the heads, as files.")
@backbone_options
@click.option("-o", "--out", type=FOLDER, metavar="DIR", help="For the JSON and the pictures.")
@json_option
def compare(
    *,
    alone: bool,
    save: Path | None,
    out: Path | None,
    as_json: bool,
    **given: Any,
) -> int:
    """Train heads on these weights and on random ones, the same way, and measure both.

    On rendered scenes whose truth is exact; --seeds are held out, --train-seeds are learnt from.
    """
    from operators.weights.backbone_choice import RANDOM
    from pipeline.fit.compare import measure

    trial = _trial(given)
    wanted = [trial.weights] if alone or trial.weights == RANDOM else [trial.weights, RANDOM]
    with telling("eval") as tell:
        found = {weights: measure(trial, weights, tell=tell) for weights in wanted}
    if out is not None:
        _write(found, out)
    if save is not None:
        _save(found[trial.weights], save)
    if as_json:
        click.echo(json.dumps(_plain(found)))
    else:
        click.echo("\n".join(_table(found)))
    return 0


def _trial(given: dict[str, Any]) -> Trial:
    from dataclasses import replace
    from typing import get_args

    from operators.errors import UsageError
    from pipeline.fit.compare import Trial, TrialTask
    from pipeline.fit.dense_plan import DensePlan

    if not given["synthetic"]:
        raise UsageError("--synthetic names the scenes, such as world")
    held_out = scenes_of(given)
    train = replace(held_out, seeds=seed_range(given["train_seeds"]))
    shared = range(
        max(train.seeds.start, held_out.seeds.start), min(train.seeds.stop, held_out.seeds.stop)
    )
    if shared:
        raise UsageError(f"scenes {shared.start}:{shared.stop} are trained on and measured on")
    config = backbone_config(given)
    return Trial(
        config.model,
        config.weights,
        train,
        held_out,
        given["clip_seconds"],
        DensePlan(config.short_side, cache_folder(given["cache"]), seed=config.seed),
        tasks=given["tasks"] or get_args(TrialTask),
        steps=given["steps"],
        blocks=int(given["blocks"]),
        threads=config.threads,
        backend=config.backend,
    )


def _plain(found: Mapping[str, Measured]) -> dict[str, Any]:
    return {
        weights: {name: one.plain() for name, one in measured.evaluations.items()}
        for weights, measured in found.items()
    }


def _write(found: Mapping[str, Measured], out: Path) -> None:
    from dataclasses import replace

    from pipeline.fit.evaluation_files import write_evaluation

    for weights, measured in found.items():
        for name, one in measured.evaluations.items():
            folder = out / Path(weights).stem / name.replace(", ", "-").replace(" ", "-")
            write_evaluation(replace(one, what=f"{Path(weights).stem}, {one.what}"), folder)


def _save(measured: Measured, folder: Path) -> None:
    from pipeline.fit.fitting import write_out

    for name, fit in measured.fits.items():
        path = folder / f"{name.replace(', ', '-').replace(' ', '-')}.safetensors"
        write_out(path, fit.operator, fit.tensors, fit.facts)


def _table(found: Mapping[str, Measured]) -> list[str]:
    """A line per number: every weights' value and the constant answer's."""
    first = next(iter(found.values()))
    lines = []
    for name, evaluation in first.evaluations.items():
        lines.append(f"{name}: {evaluation.samples} samples of {evaluation.groups} scenes")
        for number in evaluation.estimates:
            for weights, measured in found.items():
                value = measured.evaluations[name].estimates[number]
                lines.append(f"{number:>21}  {Path(weights).stem:<12} {said(value)}")
            if constant := evaluation.constant.get(number):
                lines.append(f"{number:>21}  {'constant':<12} {said(constant)}")
        lines += [f"    {note}" for note in evaluation.notes]
    return lines

"""`dinostream eval compare`: weights against others and constant answers, on the same data."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from operators.errors import UsageError
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
from pipeline.cli.peer_options import beside_option, contenders, ours

if TYPE_CHECKING:
    from pipeline.configuration.config import Config
    from pipeline.fit.compare import Measured, Trial
    from pipeline.fit.compare_pictures import PictureTrial
    from pipeline.fit.contender import Contender
    from pipeline.fit.dense_plan import Tell

_TASKS = ("segmentation", "depth", "action")


@click.command(
    "compare",
    epilog="Example: dinostream eval compare --synthetic world --train-seeds 10000:10400 "
    "--seeds 20000:20100 --weights demo --beside pixels:8x8",
)
@scene_options
@click.option("--train-seeds", metavar="A:B", help="Of the scenes to train on.")
@click.option(
    "--train-images",
    type=FOLDER,
    metavar="DIR",
    help="A folder of pictures per class, to train on.",
)
@click.option(
    "--images", type=FOLDER, metavar="DIR", help="The same classes in pictures to measure on."
)
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
@beside_option
@click.option("--save", type=FOLDER, metavar="DIR", help="Keep the heads, as files.")
@backbone_options
@click.option(
    "-o", "--out", type=FOLDER, metavar="DIR", help="For the table, the JSON and the pictures."
)
@json_option
def compare(
    *,
    alone: bool,
    beside: Sequence[str],
    save: Path | None,
    out: Path | None,
    as_json: bool,
    **given: Any,
) -> int:
    """Train heads on these weights and on others, the same way, and measure all of them.

    On rendered scenes whose truth is exact (--seeds are held out, --train-seeds are learnt from),
    or on pictures of classes. Beside the weights stand random ones, and whatever --beside names.
    """
    config = backbone_config(given)
    measured_on = _measuring(given, config)
    wanted: list[Contender] = [*ours(config, alone=alone), *contenders(beside, config)]
    with telling("eval") as tell:
        found = {one.name: measured_on(one, tell) for one in wanted}
    if out is not None:
        _write(found, out)
    if save is not None:
        _save(found[config.weights], save)
    if as_json:
        click.echo(json.dumps(_plain(found)))
    else:
        click.echo("\n".join(_lines(found)))
    return 0


def _measuring(given: dict[str, Any], config: Config) -> Callable[[Contender, Tell], Measured]:
    """How each contender is measured, on what the options name.

    Raises:
        UsageError: not exactly one kind of data, or data that do not do.
    """
    from pipeline.fit.compare import measure
    from pipeline.fit.compare_pictures import measure_pictures

    folders = given["train_images"], given["images"]
    scenes = given["synthetic"], given["seeds"], given["train_seeds"]
    if all(scenes) and not any(folders):
        trial = _trial(given, config)
        return lambda one, tell: measure(trial, one, tell=tell)
    if all(folders) and not any(scenes) and not given["tasks"]:
        pictures = _pictures(given, config)
        return lambda one, tell: measure_pictures(pictures, one, tell=tell)
    raise UsageError(
        "give --synthetic SCENE, --seeds A:B and --train-seeds A:B, or --images DIR and "
        "--train-images DIR, which are classified: no --task"
    )


def _pictures(given: dict[str, Any], config: Config) -> PictureTrial:
    from pipeline.fit.compare_pictures import PictureTrial
    from pipeline.fit.pictures import pictures_in_folders

    train, held_out = (pictures_in_folders(str(given[name])) for name in ("train_images", "images"))
    cache = cache_folder(given["cache"])
    return PictureTrial(train, held_out, config.short_side, cache, seed=config.seed)


def _trial(given: dict[str, Any], config: Config) -> Trial:
    from dataclasses import replace
    from typing import get_args

    from operators.backbones.architectures import architecture
    from pipeline.fit.compare import Trial, TrialTask
    from pipeline.fit.dense_plan import DensePlan
    from pipeline.media.frame_size import FrameSize

    size = FrameSize(config.short_side, architecture(config.model).patch)
    held_out = scenes_of(given).rendered_for(size)
    train = replace(held_out, seeds=seed_range(given["train_seeds"]))
    shared = range(
        max(train.seeds.start, held_out.seeds.start), min(train.seeds.stop, held_out.seeds.stop)
    )
    if shared:
        raise UsageError(f"scenes {shared.start}:{shared.stop} are trained on and measured on")
    return Trial(
        train,
        held_out,
        given["clip_seconds"],
        DensePlan(config.short_side, cache_folder(given["cache"]), seed=config.seed),
        tasks=given["tasks"] or get_args(TrialTask),
        steps=given["steps"],
        blocks=int(given["blocks"]),
    )


def _plain(found: Mapping[str, Measured]) -> dict[str, Any]:
    return {
        name: {task: one.plain() for task, one in measured.evaluations.items()}
        for name, measured in found.items()
    }


def _write(found: Mapping[str, Measured], out: Path) -> None:
    from dataclasses import replace

    from pipeline.fit.compare_table import write_table
    from pipeline.fit.evaluation_files import write_evaluation

    for measured in found.values():
        for name, one in measured.evaluations.items():
            folder = out / _file_name(measured.title) / _file_name(name)
            write_evaluation(replace(one, what=f"{measured.title}, {one.what}"), folder)
    write_table(list(found.values()), out / "comparison.md")


def _file_name(text: str) -> str:
    return re.sub(r"[^\w.-]+", "-", text)


def _save(measured: Measured, folder: Path) -> None:
    from pipeline.fit.fitting import write_out

    for name, fit in measured.fits.items():
        path = folder / f"{_file_name(name)}.safetensors"
        write_out(path, fit.operator, fit.tensors, fit.facts)


def _lines(found: Mapping[str, Measured]) -> list[str]:
    """A line per number: every contender's value and the constant answer's."""
    first = next(iter(found.values()))
    wide = max(12, *(len(measured.title) for measured in found.values()))
    lines = []
    for name, evaluation in first.evaluations.items():
        unit = "pictures" if evaluation.task == "classify" else "scenes"
        lines.append(f"{name}: {evaluation.samples} samples of {evaluation.groups} {unit}")
        for number in evaluation.estimates:
            for measured in found.values():
                value = measured.evaluations[name].estimates[number]
                lines.append(f"{number:>21}  {measured.title:<{wide}} {said(value)}")
            if constant := evaluation.constant.get(number):
                lines.append(f"{number:>21}  {'constant':<{wide}} {said(constant)}")
        lines += [f"    {note}" for note in evaluation.notes]
    return lines

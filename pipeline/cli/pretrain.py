"""`dinostream pretrain`: pictures and footage without labels -> a backbone that learnt of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipeline.cli.countdown import countdown
from pipeline.cli.options import FiniteRange, json_option

if TYPE_CHECKING:
    from operators.pretrain.recipe import Recipe
    from pipeline.pretrain.plan import Plan, Teacher
    from pipeline.pretrain.run import Trained

_COUNT = click.IntRange(1)
_SHARE = FiniteRange(0, 1)
_MOST_STEPS = click.IntRange(1, 10_000_000)


@click.command(
    "pretrain",
    epilog="Example: dinostream pretrain footage/ --model dinov2_vits14 --weights auto "
    "--steps 2000 -o run/, then dinostream replay footage/ --weights run/backbone.safetensors",
)
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE...")
@click.option("-o", "--out", type=click.Path(path_type=Path, file_okay=False), required=True,
              metavar="DIR", help="The training; the same command again goes on there.",
)  # fmt: skip
@click.option("--model", show_default="dinov2_vits14; of demo weights and of a training theirs",
              help="Architecture that is trained.")  # fmt: skip
@click.option("--weights", metavar="auto|demo|random|PATH|DIR", default="random",
              show_default=True,
              help="What it begins with: official weights, ours, none, a file, or a training.",
)  # fmt: skip
@click.option("--teacher", metavar="auto|demo|PATH|DIR", show_default="none: its own average",
              help="Distil from these weights, or from another training's folder.")  # fmt: skip
@click.option("--teacher-model", show_default="that of the demo weights, or of DIR",
              help="Architecture of --teacher.")  # fmt: skip
@click.option("--steps", type=_MOST_STEPS, default=10_000, show_default=True, help="In all.")
@click.option("--batch", type=click.IntRange(2), default=64, show_default=True, metavar="N",
              help="Pictures in a step.")  # fmt: skip
@click.option("--rate", type=FiniteRange(0, 1, min_open=True),
              show_default="0.004; 0.0002 where weights have learnt something",
              help="Learning rate for 1024 pictures in a step; it falls with the root of --batch.",
)  # fmt: skip
@click.option("--global-size", type=click.IntRange(14), default=224, show_default=True,
              metavar="PX", help="Side of the two large crops, a multiple of the patch.",
)  # fmt: skip
@click.option("--local-size", type=click.IntRange(14), default=98, show_default=True,
              metavar="PX", help="Side of the small ones.")  # fmt: skip
@click.option("--local-crops", type=click.IntRange(0), default=8, show_default=True, metavar="N",
              help="Small crops of a picture.")  # fmt: skip
@click.option("--blur", type=click.Choice(["written", "published"]), default="written",
              show_default=True, help="As the paper says, or as released weights were trained.",
)  # fmt: skip
@click.option("--prototypes", type=click.IntRange(2),
              show_default="4096; of a training that is gone on with or distilled, its own",
              metavar="K", help="That tokens are compared with.")  # fmt: skip
@click.option("--koleo", type=FiniteRange(0), default=0.1, show_default=True,
              help="Weight of the loss that spreads class tokens.")  # fmt: skip
@click.option("--gram", type=FiniteRange(0), default=0.0, show_default=True,
              help="Weight of the loss that holds patches to those of --weights.")  # fmt: skip
@click.option("--drop", type=FiniteRange(0, 1, max_open=True), default=0.0, show_default=True,
              help="Stochastic depth: share of pictures that a branch leaves out.")  # fmt: skip
@click.option("--layer-decay", type=FiniteRange(0, 1, min_open=True), default=1.0,
              show_default=True, help="Each block's rate, as a share of the next one's.",
)  # fmt: skip
@click.option("--layer-scale", type=FiniteRange(0, 1, min_open=True), default=0.1,
              show_default=True, help="What branches begin with, from nothing learnt.")  # fmt: skip
@click.option("--held-out", type=FiniteRange(0, 0.5, min_open=True), default=0.05,
              show_default=True, help="Share of the pictures that it is judged by instead.",
)  # fmt: skip
@click.option("--judge", type=click.Path(path_type=Path, exists=True, file_okay=False),
              metavar="DIR", show_default="none",
              help="Judge by these pictures too, a folder of them per class.")  # fmt: skip
@click.option("--every", "every_s", type=FiniteRange(0.1), default=10.0, show_default=True,
              metavar="S", help="A longer shot gives a frame for every so many seconds.",
)  # fmt: skip
@click.option("--apart", "apart_s", type=FiniteRange(0), default=5.0, show_default=True,
              metavar="S", help="Frames of a recording that are nearer are never in one step.",
)  # fmt: skip
@click.option("--keep-copies", is_flag=True, help="Keep pictures that repeat an earlier one.")
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=0, show_default=True,
              help="Of all that is drawn.")  # fmt: skip
@click.option("--workers", type=_COUNT, default=1, show_default=True, metavar="N",
              help="Processes that train together, each with a part of every step's pictures and "
              "of the weights; of this machine, a GPU each where it has some.")  # fmt: skip
@click.option("--address", metavar="HOST:PORT|auto|local", show_default="none: this machine",
              help="Ray cluster whose workers they are; wants the extra `train`.")  # fmt: skip
@click.option("--threads", type=_COUNT, show_default="one per core", metavar="N",
              help="That make crops and compute.")  # fmt: skip
@json_option
def command(sources: tuple[str, ...], *, out: Path, as_json: bool, **given: Any) -> int:
    """Train a backbone on the pictures and the footage of SOURCE, as DINOv2 was: without labels.

    Of footage one frame of every shot is taken. DIR gets backbone.safetensors, which --weights
    takes, the heads that it was trained with, the curve as lines and as a picture, and a report
    that says how well it tells held-out pictures apart, beside what it began with. One that went
    on from weights that had learnt something, and is not better by that, is not kept.
    """
    import torch

    from pipeline.job import DONE, SOME_FAILED
    from pipeline.pretrain.crew import Crew
    from pipeline.pretrain.run import pretrain

    plan = _plan(sources, given)
    threads = given["threads"] or torch.get_num_threads()
    torch.set_num_threads(threads)
    crew = Crew(given["workers"], given["address"], threads)
    with countdown("pretrain") as tell:
        done = pretrain(plan, out, tell=tell, crew=crew)
    click.echo(json.dumps(done.plain()) if as_json else "\n".join(_lines(done)))
    for source, why in done.gathered.troubles:
        click.echo(f"{source}: {why}", err=True)
    return DONE if done.kept and not done.gathered.troubles else SOME_FAILED


def _plan(sources: tuple[str, ...], given: Mapping[str, Any]) -> Plan:
    from operators.pretrain.crops import CropRecipe
    from operators.pretrain.gram_anchor import SCALE
    from operators.pretrain.learner import HeadShape
    from pipeline.pretrain.plan import Plan
    from pipeline.pretrain.rules import Rules

    _refuse_idle(given)
    return Plan(
        sources=sources,
        model=given["model"] or _model(given["weights"]),
        weights=given["weights"],
        recipe=_recipe(given),
        rules=Rules(
            every_s=given["every_s"],
            # A global crop may show a third of a picture, and is not to be an enlarged one.
            side=max(Rules().side, 2 * given["global_size"] * (SCALE if given["gram"] else 1)),
            keep_copies=given["keep_copies"],
            apart_s=given["apart_s"],
        ),
        shape=HeadShape(prototypes=given["prototypes"] or HeadShape().prototypes),
        crops=CropRecipe(
            global_px=given["global_size"],
            local_px=given["local_size"],
            local_count=given["local_crops"],
            blur=given["blur"],
        ),
        layer_scale=given["layer_scale"],
        held_out=given["held_out"],
        teacher=_teacher(given),
        judged=given["judge"] and given["judge"].resolve(),
    )


def _refuse_idle(given: Mapping[str, Any]) -> None:
    """
    Raises:
        UsageError: an option that would do nothing.
    """
    from operators.errors import UsageError
    from pipeline.pretrain.plan import is_run

    weights, teacher = given["weights"], given["teacher"]
    if given["prototypes"] and (is_run(weights) or teacher is not None):
        raise UsageError("--prototypes: a training that is gone on with or distilled has its own")
    if given["teacher_model"] and teacher is not None and is_run(teacher):
        raise UsageError(f"--teacher-model: the training in {teacher} says its own")


def _model(weights: str) -> str:
    """Of what a training begins with, where nobody says it."""
    from operators.backbones.architectures import DEMO_MODEL
    from operators.weights.backbone_choice import DEMO
    from pipeline.pretrain.plan import is_run
    from pipeline.pretrain.run_folder import RunFolder

    if is_run(weights):
        return RunFolder(Path(weights)).read_learner()[0].backbone.architecture.name
    return DEMO_MODEL if weights == DEMO else "dinov2_vits14"


def _recipe(given: Mapping[str, Any]) -> Recipe:
    from operators.pretrain.recipe import FROM_NOTHING_RATE, GOING_ON_RATE, Recipe
    from operators.weights.backbone_choice import RANDOM

    rate = FROM_NOTHING_RATE if given["weights"] == RANDOM else GOING_ON_RATE
    return Recipe(
        steps=given["steps"],
        batch=given["batch"],
        rate=given["rate"] or rate,
        koleo_weight=given["koleo"],
        gram_weight=given["gram"],
        drop=given["drop"],
        layer_decay=given["layer_decay"],
        seed=given["seed"],
    )


def _teacher(given: Mapping[str, Any]) -> Teacher | None:
    """
    Raises:
        UsageError: a model without a teacher, or a teacher whose architecture nobody says.
    """
    from operators.backbones.architectures import DEMO_MODEL
    from operators.errors import UsageError
    from operators.weights.backbone_choice import DEMO
    from pipeline.pretrain.plan import Teacher, is_run

    weights, model = given["teacher"], given["teacher_model"]
    if weights is None:
        if model is not None:
            raise UsageError("--teacher-model wants --teacher: the weights that are distilled from")
        return None
    if weights == DEMO:
        model = model or DEMO_MODEL
    if model is None and not is_run(weights):
        raise UsageError(
            f"--teacher {weights}: say its architecture with --teacher-model, such as dinov2_vitb14"
        )
    return Teacher(weights, model or "")


def _lines(done: Trained) -> list[str]:
    found = done.gathered
    lines = [
        f"{found.pictures} pictures of {found.sources} sources; {found.copies} more repeat others"
    ]
    for one in done.verdicts:
        gain = one.gain
        of = f" of {one.pictures}" + ("" if one.can_tell else ", too few to tell")
        sure = "" if gain.low is None else f" ({gain.low:+.3f} to {gain.high:+.3f})"
        lines.append(
            f"{one.what}: {one.after:.3f}{of} right, {one.before:.3f} before, {one.pixels:.3f} by "
            f"8 x 8 pixels; gain {gain.value:+.3f}{sure}"
        )
    lines += [f"alarm: {alarm}" for alarm in done.alarms]
    if done.kept:
        lines.append(f"the backbone is in {done.weights}; --weights takes it")
    else:
        lines.append(f"not better than what it began with; it is in {done.weights} to be looked at")
    return lines

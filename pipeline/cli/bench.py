"""`dinostream bench`: the measurements of this project; what is compared ran side by side."""

from __future__ import annotations

from pathlib import Path

import click

from pipeline.cli.bench_report import keep, out_option, show, tell
from pipeline.cli.bench_scale import scale
from pipeline.cli.options import FiniteRange, a_patch_or_more, json_option

MODELS = ("dinov2_vits14", "dinov2_vitb14", "dinov2_vitti14")  # the plain loop knows 12 blocks
# Depth heads have no register tokens to read. Spelled out: help loads no numpy.
PLAIN_MODELS = (*MODELS, "dinov2_vitl14", "dinov2_vitg14")


_plain_model_option = click.option(
    "--model",
    type=click.Choice(PLAIN_MODELS),
    default=PLAIN_MODELS[0],
    show_default=True,
    is_eager=True,
)
_short_side_option = click.option(
    "--short-side",
    type=click.IntRange(min=1),
    default=224,
    show_default=True,
    metavar="PX",
    callback=a_patch_or_more,
)


@click.group("bench", epilog="Example: dinostream bench replay --rounds 3")
def command() -> None:
    """Measure dinostream on this machine, beside what one would use instead."""


@command.command(
    "replay", epilog="Example: dinostream bench replay --shape square --rounds 3 --out bench.json"
)
@click.option(
    "--seconds",
    type=FiniteRange(0, min_open=True),
    default=18.0,
    show_default=True,
    help="Length of the clip.",
)
@click.option("--rounds", type=click.IntRange(min=1), default=5, show_default=True)
@click.option(
    "--shape",
    type=click.Choice(["wide", "square", "both"]),
    default="both",
    show_default=True,
    help="A clip of 640x360 (224x392 in the model), one of 360x360 (224x224), or both.",
)
@click.option("--ray/--no-ray", default=True, show_default=True, help="With the Ray runtime.")
@click.option("--memory", is_flag=True, help="Also clips of 1 and 10 minutes; takes minutes more.")
@click.option(
    "--model", type=click.Choice(MODELS), default=MODELS[0], show_default=True, is_eager=True
)
@_short_side_option
@out_option
@json_option
def replay(
    *,
    seconds: float,
    rounds: int,
    shape: str,
    ray: bool,
    memory: bool,
    model: str,
    short_side: int,
    out: Path | None,
    as_json: bool,
) -> int:
    """Measure the whole job on a rendered clip.

    Beside it run a plain loop of PyAV and transformers, and the parts that no job can do without:
    decoding alone, backbone and heads alone. All take turns. Where their records disagree there
    are no figures, and the exit code is 1. Takes a quarter of an hour on two quiet cores.
    """
    from operators.weights.cache import default_cache_dir
    from pipeline.bench.replay import SHAPES, Settings, measure
    from pipeline.bench.report import report_lines

    settings = Settings(
        clips=default_cache_dir() / "bench",
        seconds=seconds,
        rounds=rounds,
        shapes=tuple(SHAPES) if shape == "both" else (shape,),
        runtimes=("inline", "ray") if ray else ("inline",),
        model=model,
        short_side=short_side,
        memory=memory,
    )
    report = measure(settings, tell)
    keep(report, out)
    show(report, report_lines(report), as_json=as_json)
    return 0


@command.command(
    "operators", epilog="Example: dinostream bench operators --threads 1 --out bench.json"
)
@click.option(
    "--seconds",
    type=FiniteRange(0, min_open=True),
    default=6.4,
    show_default=True,
    help="Length of the clip.",
)
@click.option("--rounds", type=click.IntRange(min=1), default=5, show_default=True)
@_plain_model_option
@_short_side_option
@click.option(
    "--threads",
    type=click.IntRange(min=1),
    show_default="every core",
    help="Frames computed at a time.",
)
@out_option
@json_option
def operators(
    *,
    seconds: float,
    rounds: int,
    model: str,
    short_side: int,
    threads: int | None,
    out: Path | None,
    as_json: bool,
) -> int:
    """Measure every operator's time per frame beside the backbone's.

    Frames of a rendered clip lie in memory; weights and heads are random. Each batch goes through
    the backbone and all operators, in turns. Where results are not finite, or differ between
    rounds, there are no figures, and the exit code is 1. Takes a minute on two quiet cores.
    """
    from operators.weights.cache import default_cache_dir
    from pipeline.bench.operator_report import operator_report_lines
    from pipeline.bench.operators import Settings, measure

    settings = Settings(
        clips=default_cache_dir() / "bench",
        seconds=seconds,
        rounds=rounds,
        model=model,
        short_side=short_side,
        threads=threads,
    )
    report = measure(settings, tell)
    keep(report, out)
    show(report, operator_report_lines(report), as_json=as_json)
    return 0


@command.command("records", epilog="Example: dinostream bench records --rounds 9 --out bench.json")
@click.option("--rounds", type=click.IntRange(min=1), default=9, show_default=True)
@out_option
@json_option
def records(*, rounds: int, out: Path | None, as_json: bool) -> int:
    """Measure the CPU time that a frame's records take, without backbone and heads.

    Pictures, summaries and vectors of the default operators, made of what they compute of a
    rendered clip with the weights that ship. Where records differ between rounds there are no
    figures, and the exit code is 1. Takes a minute on two quiet cores.
    """
    from operators.weights.cache import default_cache_dir
    from pipeline.bench.record_report import record_report_lines
    from pipeline.bench.records import Settings, measure

    clips = default_cache_dir() / "bench"
    report = measure(Settings(clips, rounds=rounds), tell)
    keep(report, out)
    show(report, record_report_lines(report), as_json=as_json)
    return 0


@command.command(
    "backbone", epilog="Example: dinostream bench backbone --size 224x8 --rounds 9 --out bench.json"
)
@_plain_model_option
@click.option(
    "--size",
    "sizes",
    multiple=True,
    callback=lambda context, _, values: tuple(
        _frames(text, context.params["model"]) for text in values
    ),
    metavar="SIDExBATCH",
    show_default="224x8 and 518x1 on a CPU, batches of 256 and 32 too on a GPU",
    help="Square frames and how many at a time; may be repeated.",
)
@click.option("--rounds", type=click.IntRange(min=1), default=9, show_default=True)
@click.option(
    "--compile/--no-compile",
    "compiled",
    default=True,
    show_default=True,
    help="Beside torch.compile too, which takes minutes to get ready.",
)
@out_option
@json_option
def backbone(
    *,
    model: str,
    sizes: tuple[tuple[int, int], ...],
    rounds: int,
    compiled: bool,
    out: Path | None,
    as_json: bool,
) -> int:
    """Measure the backbone alone in every way that this machine can run it.

    Beside our engines run transformers (eager, SDPA, bfloat16, compiled) and OpenVINO's export of
    it, with the same seeded weights, in turns. Where a token is not what the plain float32 model
    says there are no figures, and the exit code is 1. Takes two minutes on two quiet cores.
    """
    import torch

    from operators.backbones.architectures import architecture
    from operators.bench.backbone import ON_CPU, ON_GPU, Settings, measure
    from operators.bench.report import backbone_report_lines

    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    usual = ON_GPU if device.type == "cuda" else ON_CPU
    settings = Settings(architecture(model), device, sizes or usual, rounds, compiled)
    report = measure(settings, tell, lambda so_far: keep(so_far, out))
    show(report, backbone_report_lines(report), as_json=as_json)
    return 0


@command.command("kernels", epilog="Example: dinostream bench kernels --rounds 30 --out bench.json")
@click.option(
    "--rounds", type=click.IntRange(min=2), default=30, show_default=True, help="Interleaved."
)
@click.option(
    "--only",
    type=click.Choice(["attention", "backward", "fused"]),
    show_default="all",
    help="One of the three.",
)
@out_option
@json_option
def kernels(*, rounds: int, only: str | None, out: Path | None, as_json: bool) -> int:
    """Measure every GPU kernel beside what one would use instead.

    Attention beside torch's own, FlashAttention's and cuDNN's, and so forward and backward as
    training has it; the fused kernels beside eager and compiled torch. A kernel that differs from
    its reference leaves no figures, and the exit code is 1. Without a GPU nothing is timed: the
    kernels are compiled for Hopper, and the report says what that costs. `python -m kernels.bench`
    is the same where torch is alone.
    """
    from kernels.bench.benchmark import PARTS, is_sound, measure
    from kernels.bench.report import report_lines

    parts = (only,) if only else PARTS
    report = measure(rounds=rounds, parts=parts, tell=tell, keep=lambda so_far: keep(so_far, out))
    show(report, report_lines(report), as_json=as_json)
    return 0 if is_sound(report) else 1


def _frames(text: str, model: str) -> tuple[int, int]:
    """`224x8` as numbers."""
    from operators.backbones.architectures import architecture

    patch = architecture(model).patch
    side, _, batch = text.partition("x")
    if not (side.isdecimal() and batch.isdecimal() and int(batch) > 0):
        raise click.BadParameter(f"{text}: wanted is SIDExBATCH, such as 224x8")
    if int(side) < patch or int(side) % patch:
        raise click.BadParameter(f"{text}: the side must be a multiple of {patch} pixels")
    return int(side), int(batch)


command.add_command(scale)

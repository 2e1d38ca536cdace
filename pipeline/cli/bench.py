"""`dinostream bench`: the measurements of this project, each beside a peer in one run."""

from __future__ import annotations

import json
from pathlib import Path

import click

from pipeline.cli.options import json_option

MODELS = ("dinov2_vits14", "dinov2_vitb14", "dinov2_vitti14")  # the plain loop knows 12 blocks


@click.group("bench", epilog="Example: dinostream bench replay --rounds 3")
def command() -> None:
    """Measure dinostream on this machine, beside what one would use instead."""


@command.command(
    "replay", epilog="Example: dinostream bench replay --shape square --rounds 3 --out bench.json"
)
@click.option("--seconds", type=float, default=18.0, show_default=True, help="Length of the clip.")
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
@click.option("--model", type=click.Choice(MODELS), default=MODELS[0], show_default=True)
@click.option("--short-side", type=int, default=224, show_default=True, metavar="PX")
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="Keep the JSON there.")
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
    from operators.download import default_cache_dir
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
    report = measure(settings, lambda text: click.echo(text, err=True))
    text = json.dumps(report, indent=1)
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(text + "\n")
    click.echo(text if as_json else "\n".join(report_lines(report)))
    return 0

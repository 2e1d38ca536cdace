"""`dinostream bench scale`: what a frame costs beside its model, by the number of streams."""

from __future__ import annotations

from pathlib import Path

import click

from pipeline.cli.bench_report import keep, out_option, show, tell
from pipeline.cli.options import FiniteRange, json_option


@click.command(
    "scale", epilog="Example: dinostream bench scale --streams 10 --streams 100 --no-ray"
)
@click.option(
    "--streams",
    type=click.IntRange(1, 10_000),
    multiple=True,
    default=(1, 10, 100, 1000),
    show_default="1, 10, 100, 1000",
    help="How many at once; may be repeated.",
)
@click.option(
    "--fps",
    type=FiniteRange(0, min_open=True),
    default=100.0,
    show_default=True,
    help="Frames per second of all streams together, however many they are.",
)
@click.option(
    "--seconds",
    type=FiniteRange(0, min_open=True),
    default=30.0,
    show_default=True,
    help="How long each is measured, once all its streams are live.",
)
@click.option("--rounds", type=click.IntRange(min=1), default=1, show_default=True)
@click.option(
    "--short-side",
    type=click.IntRange(14, 4096),
    default=224,
    show_default=True,
    metavar="PX",
    help="Side of the square frames.",
)
@click.option("--ray/--no-ray", default=True, show_default=True, help="With the Ray runtime.")
@click.option(
    "--kafka",
    metavar="HOST:PORT",
    show_default="SQLite",
    help="Records go to topics `bench-scale.*` of this broker, which stay.",
)
@out_option
@json_option
def scale(
    *,
    streams: tuple[int, ...],
    fps: float,
    seconds: float,
    rounds: int,
    short_side: int,
    ray: bool,
    kafka: str | None,
    out: Path | None,
    as_json: bool,
) -> int:
    """Measure what a frame costs beside its model, by the number of streams.

    Hosts of decoders, transport, the engine's loop, an operator and the sink are the real ones.
    Frames are noise that nobody decodes, features are made up. All streams together have the same
    number of frames whatever their number, each a chunk, a record and a commit of its own. CPU
    time is told by process. Takes eight minutes and one of two cores.
    """
    from pipeline.bench.scale import Settings, measure
    from pipeline.bench.scale_report import scale_report_lines

    settings = Settings(
        streams=tuple(sorted(set(streams))),
        fps=fps,
        seconds=seconds,
        rounds=rounds,
        short_side=short_side,
        runtimes=("inline", "ray") if ray else ("inline",),
        kafka=kafka or "",
    )
    report = measure(settings, tell)
    keep(report, out)
    show(report, scale_report_lines(report), as_json=as_json)
    return 0

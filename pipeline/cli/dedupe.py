"""`dinostream dedupe`: which frames only repeat another one, and what counts as a repetition."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipeline.cli.countdown import countdown
from pipeline.cli.options import FiniteRange, backbone_config, json_option, sight_options
from pipeline.cli.pool_options import opened_pool, pool_options
from pipeline.cli.query_options import opened_sight, query_options
from pipeline.cli.sheet_options import require_png, require_writable, save_picture
from pipeline.cli.threshold_options import chosen_threshold, threshold_options

if TYPE_CHECKING:
    from operators.groups.grid import Units
    from pipeline.dedupe.calibration import Calibration
    from pipeline.dedupe.marking import Counts
    from pipeline.vectors.head import Head

FILE = click.Path(path_type=Path, dir_okay=False)
FOLDER = click.Path(path_type=Path, file_okay=False)
_TOLD, _AROUND = 5, 30  # every so many hundredths a threshold is told, so many around the chosen


class DedupeGroup(click.Group):
    """What is no sub-command is a place: its frames are marked."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and args[0] not in (*self.commands, *ctx.help_option_names):
            args = ["mark", *args]
        return super().parse_args(ctx, args)


@click.group(
    "dedupe",
    cls=DedupeGroup,
    epilog="Example: dinostream dedupe calibrate footage/ -o alike.safetensors, then dinostream "
    "dedupe sqlite:results.db --calibrated alike.safetensors -o marks.jsonl",
)
def command() -> None:
    """Mark frames that only repeat another one; nothing is deleted.

    `dedupe SINK` is `dedupe mark SINK`.
    """


@command.command(
    "mark",
    epilog="Example: dinostream dedupe mark sqlite:results.db --calibrated alike.safetensors "
    "-o marks.jsonl",
)
@pool_options
@threshold_options
@click.option("--drop-like", type=FOLDER, metavar="DIR", show_default="none",
              help="Pictures, such as a test set's: what hangs together with one is dropped.",
)  # fmt: skip
@click.option("-o", "--output", type=FILE, metavar="FILE.jsonl", required=True,
              help="A line of JSON per record.")  # fmt: skip
@json_option
@query_options
def mark(
    *,
    calibrated: Path | None,
    threshold: float | None,
    drop_like: Path | None,
    output: Path,
    as_json: bool,
    **given: Any,
) -> int:
    """Say of every frame of a sink, or of a folder of `index`, whether it is kept.

    Frames whose cosine reaches the threshold hang together, directly or over others; of each
    component the first in time is kept, the others are marked as its duplicates. The backbone's
    options are for --drop-like alone: its pictures are looked at with the weights that made the
    vectors.
    """
    from pipeline.dedupe.marking import counts, marks, write_marks

    measured, cut = chosen_threshold(calibrated, threshold)
    require_writable(output)
    if threshold is not None:
        click.echo(f"threshold {cut:g} was given by hand: nobody has measured it", err=True)
    with opened_pool(given, what="dedupe") as (_, pool, tell):
        if measured:
            measured.require_model(pool.head.model, source=pool.head.sink)
        units, references = pool.units, None
        names: list[str] = []
        if drop_like:
            references, names = _references(drop_like, pool.head, measured, given)
        if measured:
            units = measured.comparable(units)
            references = None if references is None else measured.comparable(references)
        ids = [row.id for row in pool.rows]
        found = marks(units, pool.by_time, ids, cut, references=references, names=names, tell=tell)
        write_marks(output, pool, found)
    told = counts(found, cut)
    if as_json:
        how = {
            "calibrated": threshold is None,
            "compared": measured.comparison if measured else "raw",
        }
        said = {"file": str(output), "threshold": cut, **how, "records": len(found)}
        click.echo(json.dumps({**said, **asdict(told)}))
    else:
        click.echo("\n".join(_counted(told, len(found), cut, output, dropping=bool(drop_like))))
    return 0


@command.command(
    "calibrate",
    epilog="Example: dinostream dedupe calibrate footage/ --weights auto -o alike.safetensors",
)
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE...")
@click.option("--frames", type=click.IntRange(2, 1000), default=30, show_default=True,
              metavar="N", help="Of each recording at most, spread evenly.")  # fmt: skip
@click.option("--fps", "rate", type=FiniteRange(0, min_open=True), default=1.0, show_default=True,
              help="Of a recording at most so many frames per second.")  # fmt: skip
@click.option("--apart", "apart_s", type=FiniteRange(0, min_open=True), default=60.0,
              show_default=True, metavar="S",
              help="Frames of one recording show something else where they are so far apart.",
)  # fmt: skip
@click.option("--precision", type=FiniteRange(0, 1, min_open=True), default=0.99,
              show_default=True, help="So many of the pairs that are found must be copies.",
)  # fmt: skip
@click.option("--mirrored", is_flag=True, help="A mirrored picture is a copy, too.")
@click.option("-o", "--output", type=FILE, default=Path("alike.safetensors"), show_default=True,
              metavar="FILE", help="The calibration.")  # fmt: skip
@click.option("--picture", type=FILE, metavar="FILE.png", show_default="none",
              help="Draw precision and recall of every threshold.")  # fmt: skip
@json_option
@sight_options
def calibrate(
    sources: tuple[str, ...],
    *,
    frames: int,
    rate: float,
    apart_s: float,
    precision: float,
    mirrored: bool,
    output: Path,
    picture: Path | None,
    as_json: bool,
    **given: Any,
) -> int:
    """Measure on SOURCE which cosine two copies of one picture have and two pictures have not.

    Frames are encoded anew, cropped and lit otherwise, so it is known which pairs are copies. How
    vectors are compared is chosen too: as they are, without their mean, or whitened. The lowest
    threshold is taken that has the precision.
    """
    from pipeline.configuration.sources import plan_recordings
    from pipeline.dedupe.alterations import ALTERATIONS, MIRRORED
    from pipeline.dedupe.calibrating import calibrated, copies_of
    from pipeline.dedupe.curve_picture import curve_picture
    from pipeline.dedupe.looking import Looking
    from pipeline.dedupe.moments import moments_of
    from pipeline.features.backbone import configured_backbone
    from pipeline.media.frame_size import FrameSize

    if output.suffix != ".safetensors":
        raise click.UsageError(f"{output}: a calibration's name ends in .safetensors")
    require_writable(output)
    require_png(picture, "--picture")
    plans, config = plan_recordings(sources), backbone_config(given)
    alterations = {**ALTERATIONS, **(MIRRORED if mirrored else {})}
    with closing(configured_backbone(config)) as backbone, countdown("calibrate") as tell:
        look = Looking(backbone, config.short_side)
        patch = backbone.loaded.model.architecture.patch
        larger = FrameSize(2 * config.short_side, patch)  # so that a crop has something to show
        recordings = moments_of(plans, larger, fps=rate, most=frames, tell=tell)
        found = calibrated(
            copies_of(recordings, alterations, look),
            model=backbone.loaded.name,
            short_side=config.short_side,
            precision=precision,
            apart_s=apart_s,
        )
    found.write(output)
    if picture is not None:
        save_picture(curve_picture(found), picture)
    if as_json:
        click.echo(json.dumps({"file": str(output), **found.plain()}))
    else:
        click.echo("\n".join(_measured(found, output)))
    return 0


def _references(
    folder: Path, head: Head, measured: Calibration | None, given: dict[str, Any]
) -> tuple[Units, list[str]]:
    """Vectors and names of the pictures in a folder."""
    from operators.errors import UsageError
    from operators.groups.grid import unit_rows
    from pipeline.configuration.folder import pictures_below
    from pipeline.search.sight import require_readable

    paths = pictures_below(folder)
    if not paths:
        raise UsageError(f"--drop-like {folder}: no picture there")
    require_readable(paths)
    likely_side = measured.short_side if measured else None
    with opened_sight(head, given, likely_side=likely_side) as sight:
        return unit_rows(sight.pictures(paths)), [str(one.relative_to(folder)) for one in paths]


def _counted(
    told: Counts, records: int, threshold: float, output: Path, *, dropping: bool
) -> Iterator[str]:
    yield (
        f"{records} records at cosine {threshold:g}: {told.kept} kept, {told.duplicate} duplicates"
        + (f", {told.dropped} dropped" if dropping else "")
        + f"; the largest component has {told.largest}"
    )
    if told.over_others:
        yield (
            f"{told.over_others} duplicates hang together with what is kept over others alone: "
            "their line has a cosine below the threshold"
        )
    yield f"wrote {output}"


def _measured(found: Calibration, output: Path) -> Iterator[str]:
    pairs, point = found.pairs, found.point
    yield (
        f"{pairs['frames']} frames of {pairs['recordings']} recordings, {pairs['copies']} copies, "
        f"{pairs['others']} pairs that show something else; {found.model}, vectors "
        f"{'as they are' if found.comparison == 'raw' else found.comparison}"
    )
    yield "  cosine  precision  recall  false"
    middle = found.points.index(point)
    for number, one in enumerate(found.points):
        if number == middle or (number % _TOLD == 0 and abs(number - middle) <= _AROUND):
            mark = "*" if number == middle else " "
            yield (
                f"{mark} {one.threshold:6.2f}  {one.precision:9.4f}  {one.recall:6.3f}  "
                f"{one.false:5}"
            )
    yield f"* the lowest with a precision of {found.wanted:g}; of copies it finds"
    for name, recall in found.recalls.items():
        yield f"  {recall:6.3f}  {name}"
    yield f"wrote {output}: use it with dinostream dedupe SINK --calibrated {output}"

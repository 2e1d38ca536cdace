"""`dinostream calibrate`: points of known distance, or a focal length -> a camera's own metres."""

from __future__ import annotations

import json
import math
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

import click

from operators.errors import UsageError
from pipeline.cli.options import FiniteRange, json_option

_MOST_FOCAL_PX = 1e6


@click.command(
    "calibrate",
    epilog="Example: dinostream calibrate gate --point 320,410,2.5 --point 300,180,11 "
    "--sink sqlite:results.db, then replay or run with --set calibrations=calibrations.json",
)
@click.argument("stream")
@click.option(
    "--point",
    "points",
    metavar="X,Y,METRES",
    multiple=True,
    show_default="none",
    help="A pixel of the source and how far it is along the optical axis; two or more.",
)
@click.option(
    "--focal",
    metavar="PX[,PX]",
    show_default="none",
    help="Of da3metric, in place of points: the focal length in pixels of the source, or across "
    "and down.",
)
@click.option(
    "--time",
    "time_s",
    type=FiniteRange(0),
    show_default="the newest",
    help="Of the record, seconds since the first one.",
)
@click.option(
    "--sink",
    default="sqlite:results.db",
    show_default=True,
    metavar="URI",
    help="Where the stream's depth records are.",
)
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path),
    default="calibrations.json",
    show_default=True,
    help="The file; other streams in it stay.",
)
@json_option
def command(
    stream: str,
    *,
    points: tuple[str, ...],
    focal: str | None,
    time_s: float | None,
    sink: str,
    out: Path,
    as_json: bool,
) -> int:
    """Turn STREAM's depth into metres of that camera.

    For relative depth, or metres that were learnt elsewhere. The camera must not move or zoom.
    """
    from pipeline.calibrate.focal import calibrate_by_focal
    from pipeline.calibrate.measure import calibrate
    from pipeline.calibrate.store import write_calibration

    if bool(points) == bool(focal):
        raise UsageError(
            "give two points or more with --point X,Y,METRES, or of da3metric the focal length "
            "with --focal PX; not both"
        )
    wanted = [_point(text) for text in points]
    outcome = (
        calibrate_by_focal(sink, stream, _focal(focal), time_s=time_s)
        if focal
        else calibrate(sink, stream, wanted, time_s=time_s)
    )
    stored, errors_m = outcome.stored, outcome.fitted.errors_m
    write_calibration(out, stream, stored)
    line = asdict(stored.calibration)
    if as_json:
        said = {"stream": stream, **line, "errors_m": errors_m, "focal_px": stored.focal_px}
        click.echo(json.dumps({**said, "time": outcome.time, "file": str(out)}))
        return 0
    click.echo(f"{stream}: {line['kind']}, scale {line['scale']:.6g}, offset {line['offset']:.6g}")
    for (x, y, metres), error in zip(wanted, errors_m, strict=True):
        click.echo(f"  {x:g},{y:g}: {metres:g} m, off by {error:+.2f} m")
    click.echo(f"wrote {out}: use it with --set calibrations={out}")
    return 0


def _point(text: str) -> tuple[float, float, float]:
    with suppress(ValueError):
        x, y, metres = (float(part) for part in text.split(","))
        if all(map(math.isfinite, (x, y, metres))):
            return x, y, metres
    raise UsageError(f"--point takes X,Y,METRES, such as 320,410,2.5; got {text!r}")


def _focal(text: str) -> tuple[float, float]:
    with suppress(ValueError):
        across, *others = (float(part) for part in text.split(","))
        (down,) = others or (across,)
        if all(1 <= one <= _MOST_FOCAL_PX for one in (across, down)):
            return across, down
    raise UsageError(
        f"--focal takes pixels, 1 to {_MOST_FOCAL_PX:.0f}, such as 1130, or across and down, "
        f"1130,1128; got {text!r}"
    )

"""Options that say from which cosine on two pictures are one: as was measured, or by hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from pipeline.cli.options import FiniteRange

if TYPE_CHECKING:
    from pipeline.dedupe.calibration import Calibration

Callback = TypeVar("Callback", bound=Callable[..., Any])

SAME = 0.9999  # two vectors that are the same, as float16 has them


def threshold_options(function: Callback) -> Callback:
    """What was measured, and what stands in its place."""
    calibrated = click.option("--calibrated", type=click.Path(path_type=Path, dir_okay=False),
                              metavar="FILE", show_default="none",
                              help="What `dedupe calibrate` has measured.")  # fmt: skip
    threshold = click.option("--threshold", type=FiniteRange(-1, SAME), metavar="COSINE",
                             show_default="the calibration's",
                             help="From which cosine on two pictures are one, by hand.",
                             )  # fmt: skip
    return calibrated(threshold(function))


def chosen_threshold(
    calibrated: Path | None, threshold: float | None
) -> tuple[Calibration | None, float]:
    """What the options say: the calibration, where there is one, and the cosine.

    Raises:
        click.UsageError: neither was given.
        UsageError: the file is no calibration.
    """
    from pipeline.dedupe.calibration import read_calibration

    measured = read_calibration(calibrated) if calibrated else None
    if threshold is not None:
        return measured, threshold
    if measured is None:
        raise click.UsageError(
            "no cosine means the same with all weights: measure one with `dedupe calibrate` and "
            "give --calibrated, or say a --threshold by hand"
        )
    return measured, measured.point.threshold

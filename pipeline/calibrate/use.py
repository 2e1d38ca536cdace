"""Cameras' calibrations, put over the depth operator of a job."""

from __future__ import annotations

from pathlib import Path

from operators.depth.calibrated import CalibratedDepth
from operators.depth.calibration import METRIC, RELATIVE
from operators.depth.operator import Depth
from operators.depth.relative import RelativeDepth
from operators.operator import Operator
from pipeline.calibrate.store import read_calibrations


def use_calibrations(operators: dict[str, Operator], path: Path, model: str) -> list[str]:
    """Put calibrations over the depth operator of a job.

    Args:
        operators: by key; the depth operator is replaced.
        path: of the calibrations.
        model: architecture and start of the weights' hash, as records name it.

    Returns:
        Which calibrations were left out, and why, and which cannot be checked.

    Raises:
        UsageError: the file is missing, or not ours.
    """
    known = read_calibrations(path)
    notes = []
    for key, operator in operators.items():
        if not isinstance(operator, Depth | RelativeDepth):
            continue
        kind = METRIC if isinstance(operator, Depth) else RELATIVE
        fitting = {
            stream: one.calibration
            for stream, one in known.items()
            if (one.model, one.calibration.kind, one.domain) == (model, kind, operator.domain)
        }
        notes += [
            f"the calibration of {stream} was made for other depth ({one.model}, "
            f"{one.calibration.kind} {one.domain}): not used; calibrate again"
            for stream, one in known.items()
            if stream not in fitting
        ]
        notes += [
            f"the calibration of {stream} does not say which size and region it was measured on, "
            "so nobody checks it; calibrate again"
            for stream, one in fitting.items()
            if one.view is None
        ]
        operators[key] = CalibratedDepth(operator, fitting)
    return notes

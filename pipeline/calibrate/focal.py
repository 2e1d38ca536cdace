"""Depth records of a fixed camera and its focal length -> its calibration.

Of DA3METRIC alone, whose depth is a camera's of a known focal length. Knows nothing of the command
line.
"""

from __future__ import annotations

from operators.depth.calibration import RELATIVE, Calibration
from operators.depth.depth_anything_3 import DISPARITY
from operators.errors import UsageError
from operators.learn.calibration import Calibrated
from pipeline.calibrate.measure import Outcome, domain_of, newest_record, view_of
from pipeline.calibrate.store import StoredCalibration

_METRIC = "da3metric"


def calibrate_by_focal(
    sink: str, stream: str, focal_px: tuple[float, float], *, time_s: float | None
) -> Outcome:
    """Calibrate a stream by its focal length, and by one of its records what that is seen through.

    Args:
        sink: URI of the sink.
        stream: stream id.
        focal_px: across and down, in pixels of the source as displayed, above 0.
        time_s: of the record, seconds since the stream's first; None: the newest.

    Raises:
        UsageError: no such records, or of a head whose depth a focal length says nothing of.
        SinkError: the sink cannot be read.
    """
    message = newest_record(sink, stream, time_s)
    headers = message.headers
    domain = domain_of(headers)
    if domain != _METRIC:
        raise UsageError(
            f"the depth of {stream} is of {domain or 'a relative head'}; a focal length gives "
            f"metres to that of {_METRIC} alone (--head depth=da3metric-large); give two points or "
            "more with --point"
        )
    view = view_of(message)
    (height, width), (rows, columns) = view.source_hw, view.map_hw
    # As upstream, the mean of both axes in the picture that the model sees, here per its width.
    widths = (focal_px[0] / width + focal_px[1] / height * rows / columns) / 2
    line = Calibration(RELATIVE, 1 / (DISPARITY * widths), 0.0, view)
    stored = StoredCalibration(line, headers["ce_model"], domain, focal_px=focal_px)
    return Outcome(stored, Calibrated(line, ()), headers["ce_time"])

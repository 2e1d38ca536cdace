"""What alerts can be about: the classes that a job's segmentation finds, and whether it has metres.

Known without the operators, so that a stream is refused before it is opened.
"""

from __future__ import annotations

from dataclasses import dataclass

from operators.errors import UsageError
from operators.places.places import Places
from operators.segmentation.labelsets import LabelSet


@dataclass(frozen=True, slots=True)
class Findable:
    """
    Attributes:
        labels: what the segmentation tells apart.
        metric: depth is in metres, on every stream.
        calibrated: streams on which it is, because somebody calibrated them.
    """

    labels: LabelSet
    metric: bool
    calibrated: frozenset[str] = frozenset()

    def refuse(self, stream: str, places: Places) -> None:
        """
        Raises:
            UsageError: an alert is about a class or metres that nobody finds.
        """
        for alert in places.alerts:
            where = f"streams.{stream}.alerts.{alert.name}"
            if alert.label is not None:
                self.labels.ids(alert.label, where)
            has_metres = self.metric or stream in self.calibrated
            if alert.nearest_below_m is not None and not has_metres:
                raise UsageError(
                    f"{where}: metres come from metric depth, which does not run on this stream; "
                    "add depth to operators, with a head in metres or a calibration of the camera, "
                    "or leave the alert out"
                )

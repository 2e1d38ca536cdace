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
        metric: depth is in metres, at least on cameras that are calibrated.
    """

    labels: LabelSet
    metric: bool

    def refuse(self, stream: str, places: Places) -> None:
        """
        Raises:
            UsageError: an alert is about a class or metres that nobody finds.
        """
        for alert in places.alerts:
            where = f"streams.{stream}.alerts.{alert.name}"
            if alert.label is not None:
                self.labels.ids(alert.label, where)
            if alert.nearest_below_m is not None and not self.metric:
                raise UsageError(
                    f"{where}: metres come from metric depth, which does not run in this job; add "
                    "depth to operators, with a head in metres, or leave the alert out"
                )

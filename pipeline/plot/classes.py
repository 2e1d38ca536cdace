"""What a stream's pictures show, over event time: the share of every class. Pure."""

from __future__ import annotations

from dataclasses import replace

from pipeline.plot.first_names import FirstNames
from pipeline.plot.panel import Panel
from pipeline.plot.shares import Shares
from pipeline.records.record import StoredRecord
from pipeline.stream.session import is_connection

MOST = 4  # panels

Axis = tuple[str, str, str]
"""Stream, session where it is a recording's, variant: what one axis of time is of."""


class Classes:
    """Sums shares per series; of a recording's sessions each has an axis of its own."""

    def __init__(self) -> None:
        self._names: FirstNames[Axis] = FirstNames(MOST)
        self._shares: dict[Axis, Shares] = {}

    def wants(self, topic: str) -> bool:
        """Whether it reads it."""
        return topic == "segmentation.summary"

    def see(self, record: StoredRecord) -> None:
        """Another record."""
        headers = record.message.headers
        session = headers["ce_session"]
        recording = "" if is_connection(session) else session
        axis = (headers["ce_streamid"], recording, headers["ce_variant"])
        if (gone := self._names.add(axis)) is not None:
            self._shares.pop(gone, None)
        if axis in self._names.shown:
            self._shares.setdefault(axis, Shares()).add(record)

    def panels(self) -> list[Panel]:
        """What it has found; none where nobody said which classes there are."""
        found = [
            panel
            for axis in self._names.shown
            if (panel := self._shares[axis].panel(f"Classes of {self._title(axis)}"))
        ]
        if found and (others := self._names.others):
            more = f"{others} more streams are not drawn: --stream NAME chooses."
            found[-1] = replace(found[-1], notes=[*found[-1].notes, more])
        return list(found)

    def _title(self, axis: Axis) -> str:
        """The stream; with session and variant where it has several."""
        stream, *rest = axis
        alike = [one[1:] for one in self._names.shown if one[0] == stream]
        several = [len(set(column)) > 1 for column in zip(*alike, strict=True)]
        return ", ".join(
            [stream, *(part for part, is_one in zip(rest, several, strict=True) if is_one)]
        )

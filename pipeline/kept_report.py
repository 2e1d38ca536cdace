"""A display for commands that run a job on the way and say in their own words what it did."""

from __future__ import annotations

from pipeline.display import Display, Status
from pipeline.report import Report


class KeptReport:
    """A display that shows a job as ever, and keeps its report for a text of our own."""

    def __init__(self, shown: Display) -> None:
        self._shown = shown
        self.report: Report | None = None

    def update(self, status: Status) -> None:
        """See `pipeline.display.Display`."""
        self._shown.update(status)

    def note(self, text: str) -> None:
        """What would come after the report, the summary says in its own words."""
        if self.report is None:
            self._shown.note(text)

    def finish(self, report: Report) -> None:
        """Kept, not printed."""
        self._shown.close()
        self.report = report

    def close(self) -> None:
        """Stop moving."""
        self._shown.close()

"""Waiting for the turn to look after what others have left: it is told, and can be stopped."""

from __future__ import annotations

import logging
import time

from pipeline.errors import SinkAway
from pipeline.sinks.patient import PatientSink
from pipeline.sinks.spill.folder import SpillFolder

log = logging.getLogger(__name__)

PAUSE_S = 0.1  # between two looks at a lock


class Turn:
    """Of one run."""

    def __init__(self, folder: SpillFolder, sink: PatientSink) -> None:
        self._folder = folder
        self._sink = sink
        self._told = False

    def check(self) -> None:
        """
        Raises:
            SinkAway: the run is to end.
        """
        if self._sink.interrupted:
            raise SinkAway("the run is to end before what was kept is looked after")

    def wait(self) -> None:
        """A moment, as long as another process has it. Raises as `check` does."""
        self.check()
        if not self._told:
            self._told = True
            log.warning(
                "another process sends what was kept in %s: waiting for that", self._folder.path
            )
        time.sleep(PAUSE_S)

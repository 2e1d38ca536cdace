"""The thread that keeps on disk what of live streams waits for the sink."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable

from pipeline.engine.line import Line
from pipeline.records.commit import Commit
from pipeline.sinks.spill.spill import Spill

log = logging.getLogger(__name__)

PAUSE_S = 5.0  # after a disk took nothing


class Keeper:
    """Takes from a line what has waited for too long."""

    def __init__(
        self,
        line: Line,
        spill: Spill,
        tell: Callable[[tuple[Commit, ...]], None],
        fail: Callable[[BaseException], None],
        after_s: float,
    ) -> None:
        """
        Args:
            line: of commits on their way to the sink.
            spill: where they are kept.
            tell: called, from a thread of its own, with those that are on disk.
            fail: called with whatever else ends that thread.
            after_s: how long the sink may have what it was given.
        """
        self._line = line
        self._spill = spill
        self._tell = tell
        self._fail = fail
        self._closing = False
        self._after_s = after_s
        self._thread = threading.Thread(target=self._run, name="keeper", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Keep what is left; nothing more will come."""
        self._closing = True
        self._line.end()
        self._thread.join()

    def _run(self) -> None:
        not_before_s = -math.inf
        while choice := self._line.to_keep(self._after_s, not_before_s):
            kept = False
            try:
                self._spill.append(choice.commits, sent=choice.sent)
                self._tell(choice.commits)
                kept = True
            except OSError as error:
                not_before_s = time.monotonic() + PAUSE_S
                log.error(
                    "results cannot be kept in %s, so cameras wait for the sink and drop their "
                    "oldest frames: %s",
                    *(self._spill.folder, error),
                )
            except BaseException as error:  # the loop raises it; a thread that dies tells nobody
                self._closing = True
                self._fail(error)
            self._line.was_kept(kept=kept)
            if self._closing and not kept:
                return

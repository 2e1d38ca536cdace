"""What earlier writers have kept goes to the sink before anything new, by the same rules."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from pipeline.engine.committer import require_time, send_kept
from pipeline.engine.line import MOST_BYTES
from pipeline.engine.mending import Mending
from pipeline.errors import FencedError
from pipeline.records.record import Message
from pipeline.sinks.patient import PatientSink
from pipeline.sinks.sink import Receipt
from pipeline.sinks.spill.backlog import amount
from pipeline.sinks.spill.folder import SpillFolder
from pipeline.sinks.spill.spill import Spill

log = logging.getLogger(__name__)

Count = Callable[[Receipt, Sequence[Message]], None]


def recover(folder: SpillFolder, sink: PatientSink, count: Count) -> Spill | None:
    """Send what others have left in a folder, and begin a log there.

    Args:
        folder: where.
        sink: that nobody has claimed with yet.
        count: hears of records that went there.

    Returns:
        The log, for whoever calls this to close; None where nothing can be kept there, which is
        told.

    Raises:
        SinkError: the sink is away, or cannot take what was kept.
    """
    try:
        folder.make()
    except OSError as error:
        log.warning(
            "nothing can be kept in %s while the sink is away, so cameras will drop their oldest "
            "frames then; sink.spill.folder names another: %s",
            *(folder.root, error),
        )
        return None
    with folder.taking_over():
        for left in folder.left():
            try:
                _send(left, sink, count)
            finally:
                left.close()
        return folder.begin()


def _send(left: Spill, sink: PatientSink, count: Count) -> None:
    kept = left.waiting()
    if not kept:
        return
    log.warning("%s kept in %s and go out first", amount(kept), left.folder)
    while left.holds:
        try:
            _send_ours(left, sink, count)
        except FencedError:  # by somebody who claims a stream at this moment
            left.give_back()


def _send_ours(left: Spill, sink: PatientSink, count: Count) -> None:
    resumed = sink.resume(left.holders())
    for stream, lost in left.forsake(left.waiting().keys() - resumed.keys()).items():
        log.error(
            "%s: another writer has taken it over since: %d records that were kept are LOST",
            *(stream, lost.records),
            extra={"stream": stream},
        )
    mending = Mending()
    mending.resume(resumed)
    while left.holds:
        require_time(sink, left)
        mended, receipt = send_kept(left.take(MOST_BYTES), mending, sink.commit)
        left.release()
        mending.note(mended)
        count(receipt, [message for commit in mended for message in commit.messages])

"""What earlier writers have kept goes to the sink before anything new, by the same rules."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from pipeline.engine.committer import require_time, send_kept
from pipeline.engine.line import MOST_BYTES
from pipeline.engine.mending import Mending
from pipeline.engine.turn import Turn
from pipeline.errors import FencedError, SinkAway, SinkError
from pipeline.records.record import Message
from pipeline.sinks.patient import PatientSink
from pipeline.sinks.sink import Receipt
from pipeline.sinks.spill.backlog import amount
from pipeline.sinks.spill.folder import SpillFolder, kept_bytes
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
        The log, for whoever calls this to close; None where nothing is to be kept, or nothing can
        be, which is told.

    Raises:
        SinkAway: the run is to end.
        SinkError: the sink is away or cannot take what was kept, or that cannot be read.
    """
    try:
        if folder.logs():
            _send_all(folder, sink, count)
    except OSError as error:
        raise SinkError(
            f"what was kept in {folder.path} cannot be sent: {error}; mend that, or name another "
            "sink.spill.folder to leave it there"
        ) from error
    _tell_of_others(folder)
    return _begin(folder, sink) if folder.most_bytes else None


def _begin(folder: SpillFolder, sink: PatientSink) -> Spill | None:
    try:
        folder.make()
        with folder.taking_over(Turn(folder, sink).wait):
            return folder.begin()
    except OSError as error:
        log.warning(
            "nothing can be kept in %s while the sink is away, so cameras will drop their oldest "
            "frames then; sink.spill.folder names another: %s",
            *(folder.root, error),
        )
        return None


def _send_all(folder: SpillFolder, sink: PatientSink, count: Count) -> None:
    turn = Turn(folder, sink)
    with folder.taking_over(turn.wait):
        for left in folder.left(turn.check):
            try:
                _send(left, sink, count)
            finally:
                left.close()


def _tell_of_others(folder: SpillFolder) -> None:
    """Whether their address is another of this sink is not known, nor would cameras wait for an
    answer."""
    try:
        kept = kept_bytes(folder.root)
    except OSError as error:
        log.warning("%s: what is kept there is not known: %s", folder.root, error)
        return
    for sink, size in kept.items():
        if sink != folder.sink:
            log.warning(
                "%.1f MiB are kept in %s for %s, and only a run with that address sends them; if "
                "these are the same brokers, what is there of streams of this run is LOST now",
                *(size / (1 << 20), SpillFolder(folder.root, sink, 0).path, sink),
            )


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
        try:
            mended, receipt = send_kept(left.take(MOST_BYTES), mending, sink.commit)
        except (FencedError, SinkAway):
            raise
        except SinkError as error:
            raise SinkError(
                f"{error}. It was kept in {left.folder}, and nothing starts before it is sent; who "
                "does without it moves that folder away"
            ) from error
        left.release()
        mending.note(mended)
        count(receipt, [message for commit in mended for message in commit.messages])

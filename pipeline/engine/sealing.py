"""The last that is put into a commit, when it is known what is in it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pipeline.records.commit import Commit
from pipeline.records.manifest import Untold
from pipeline.records.message import Publisher
from pipeline.records.record import Message
from pipeline.stream.chunk import End
from pipeline.stream.progress import Progress


def sealed(
    messages: Sequence[Message],
    progress: Progress,
    end: End | None,
    untold: Untold,
    publisher: Publisher,
) -> tuple[Commit, Untold]:
    """A commit: the end is told with the counts as they are now, and a manifest of all that was
    committed is there where one is due.

    Args:
        messages: of its own.
        progress: behind it.
        end: of the stream, where it is told.
        untold: what no manifest tells of before it.
        publisher: of the stream.

    Returns:
        The commit, and what no manifest tells of behind it, as its progress has it.
    """
    whole = list(messages)
    if end:
        whole += publisher.announce(end, progress, progress.ledger)
    untold = untold.after(whole, progress)
    if end or untold.is_due(progress.frames):
        whole.append(publisher.manifest(untold.said(progress), progress))
        untold = untold.next(progress.frames)
    return Commit(tuple(whole), replace(progress, untold=untold.to_json())), untold

"""The rule by which a sink accepts, skips or refuses a commit; the same for every kind of sink."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from pipeline.errors import FencedError, SinkError
from pipeline.records.commit import Commit
from pipeline.stream.progress import Progress


def is_done(
    stored: Progress | None, progress: Progress, *, newest_epoch: int = 0, skips: int = 0
) -> bool:
    """Whether a commit that would write `progress` is in the store already.

    Args:
        stored: what the store has of this job and stream.
        progress: what the commit would write.
        newest_epoch: of the stream, whatever the job.
        skips: commits before this one that never come (`Commit.skips`).

    Raises:
        FencedError: somebody else has claimed the stream since.
        SinkError: the stream was never claimed, or a commit before this one is missing.
    """
    stream = progress.stream
    if newest_epoch > progress.epoch:
        raise fenced(stream, newest_epoch, progress.epoch)
    if stored is None or stored.epoch < progress.epoch:
        raise SinkError(f"stream {stream}: commit without a claim")
    if stored.epoch > progress.epoch:
        raise fenced(stream, stored.epoch, progress.epoch)
    if progress.sequence > stored.sequence and not stored.running:
        raise SinkError(
            f"stream {stream}: commit {progress.sequence} follows the end, without a claim",
        )
    if progress.sequence > stored.sequence + 1 + skips:
        raise SinkError(
            f"stream {stream}: commit {progress.sequence} follows {stored.sequence}; those between "
            "are missing",
        )
    return progress.sequence <= stored.sequence


def not_done(standing: Mapping[str, Progress], commits: Sequence[Commit]) -> list[Commit]:
    """Those that are not in the store yet, each behind those before it; errors as of `is_done`.

    Args:
        standing: stream -> where it stands, in the one job that is written.
        commits: in order.
    """
    standing, new = dict(standing), []
    for commit in commits:
        stored = standing.get(commit.progress.stream)
        if not is_done(stored, commit.progress, skips=commit.skips):
            standing[commit.progress.stream] = commit.progress
            new.append(commit)
    return new


def claimed(known: Progress, newest_epoch: int) -> Progress:
    """`known` as it stands for whoever takes it over now.

    Args:
        known: where the stream stands in a job that is not done.
        newest_epoch: of the stream, whatever the job.
    """
    detail = "" if known.status == "rejected" else known.detail  # why it was no footage then
    return replace(known, epoch=newest_epoch + 1, status="running", detail=detail)


def fenced(stream: str, newer: int, ours: int) -> FencedError:
    """The error for a writer whose stream was claimed by another one."""
    return FencedError(
        f"stream {stream}: another writer has taken it over (epoch {newer}, this one is {ours}), "
        "and this one stops; does another process write this stream to the same sink?",
    )

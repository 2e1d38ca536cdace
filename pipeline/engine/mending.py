"""Commits as they read behind what is really in the sink.

What was kept on disk may have lost some that were before it, and a record of it may be too large,
when its lane has long gone on. What is wrong by then, in it and in all that follow it, is set right
here: sequence, ledger, manifests, the end.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace

from pipeline.engine.refusals import with_letters
from pipeline.engine.sealing import sealed
from pipeline.errors import RecordsTooLarge
from pipeline.records.commit import Commit, Link
from pipeline.records.manifest import Untold
from pipeline.records.message import Publisher
from pipeline.records.record import Message
from pipeline.records.topics import EVENTS, MANIFEST
from pipeline.stream.chunk import End, Gap
from pipeline.stream.ledger import Ledger
from pipeline.stream.progress import Progress

RECORDED = ("published", "covered", "unchanged", "deadletter")  # frames that records tell of
LOST = "spill"

Counts = Mapping[str, Mapping[str, int]]
Buried = set[tuple[str, ...]]  # stream, operator, session and position of frames


class Mending:
    """Of all live streams of one writer; belongs to the thread that writes."""

    def __init__(self) -> None:
        self._sent: dict[str, Progress] = {}
        self._astray: set[str] = set()  # streams whose lanes say what is not in the sink

    def begin(self, progresses: Mapping[str, Progress]) -> None:
        """These streams were claimed, and their lanes go on from there."""
        self._sent |= progresses
        self._astray -= progresses.keys()

    def resume(self, progresses: Mapping[str, Progress]) -> None:
        """What was kept of these streams goes on from there; nobody knows what it was behind."""
        self._sent |= progresses
        self._astray |= progresses.keys()

    def mended(self, commits: Sequence[Commit]) -> list[Commit]:
        """The same, each behind those before it, as they are to be sent."""
        sent, astray, whole = dict(self._sent), set(self._astray), []
        for commit in commits:
            stream, known = commit.progress.stream, sent.get(commit.progress.stream)
            if commit.link and known:
                skips = commit.progress.sequence - known.sequence - 1
                if skips > 0 or (skips == 0 and stream in astray):
                    astray.add(stream)
                    commit = _behind(commit, commit.link, known)
            whole.append(commit)
            if not known or known.sequence < commit.progress.sequence:  # else it is there already
                sent[stream] = commit.progress
        return whole

    def note(self, commits: Sequence[Commit]) -> None:
        """These are in the sink, as `mended` gave them."""
        for commit in commits:
            stream, known = commit.progress.stream, self._sent.get(commit.progress.stream)
            if commit.link and (not known or known.sequence < commit.progress.sequence):
                self._sent[stream] = commit.progress
            if commit.skips:
                self._astray.add(stream)

    def lettered(
        self, commits: Sequence[Commit], error: RecordsTooLarge, buried: Buried
    ) -> list[Commit]:
        """The same with dead letters for what the sink cannot take.

        Args:
            commits: that were kept.
            error: what the sink said of them, as `mended` gave them.
            buried: frames of theirs that count as dead letters already; more are put in here.

        Raises:
            RecordsTooLarge: what was refused is of no operator.
        """
        refused = {(one.topic, one.id) for one in error.refused}
        new = []
        for commit in commits:
            if commit.link and any((m.topic, m.id) in refused for m in commit.messages):
                self._astray.add(commit.progress.stream)
                commit = _lettered(commit, commit.link, error, buried)
            new.append(commit)
        if new == list(commits):
            raise error
        return new


def _lettered(commit: Commit, link: Link, error: RecordsTooLarge, buried: Buried) -> Commit:
    publisher, stream = _publisher(commit), commit.progress.stream
    messages, frames = with_letters(commit.messages, error, link.operators, publisher)
    new = {(stream, *frame) for frame in frames} - buried
    buried |= new
    ledger = Ledger(commit.progress.ledger)
    for _, operator, *_ in new:
        ledger.bury(operator)
    progress = replace(commit.progress, ledger=ledger.counts())
    return replace(commit, messages=tuple(messages), progress=progress)


def _behind(commit: Commit, link: Link, sent: Progress) -> Commit:
    publisher, end = _publisher(commit), _end(commit)
    skips = commit.progress.sequence - sent.sequence - 1
    lost = link.frames - sent.frames if skips else 0
    ledger = _ledger(commit.progress.ledger, link.ledger, sent.ledger)
    progress = replace(commit.progress, ledger=ledger)
    messages = [one for one in commit.messages if not (one.topic == MANIFEST or _is_end(one, end))]
    if skips:
        gap = Gap(sent.stream, "dropped", lost, cause=LOST)
        messages = [*publisher.announce(gap, sent, {}), *messages]
    whole, _ = sealed(messages, progress, end, Untold.of(sent), publisher)
    return replace(whole, link=link, skips=skips, lost=lost)


def _ledger(now: Counts, before: Counts, sent: Counts) -> dict[str, dict[str, int]]:
    """Behind a commit, where that one's own records go behind what was sent: frames of records that
    are lost were taken and told of by nobody, so they are dropped.

    Args:
        now: behind it, as its lane has it.
        before: the same, in front of it.
        sent: what is said of all that is in the sink.
    """
    ledger = {}
    for operator, row in now.items():
        was, there = before.get(operator, {}), sent.get(operator, {})
        new = {one: there.get(one, 0) + row.get(one, 0) - was.get(one, 0) for one in RECORDED}
        lost = sum(row.get(one, 0) for one in RECORDED) - sum(new.values())
        moved = {"sampled": -lost, "dropped": lost, f"dropped_{LOST}": lost}
        new = {**row, **new, **{one: row.get(one, 0) + more for one, more in moved.items()}}
        ledger[operator] = {one: frames for one, frames in new.items() if frames}
    return ledger


def _end(commit: Commit) -> End | None:
    """Of the stream, where the commit tells of it."""
    if commit.progress.running:
        return None
    for message in commit.messages:
        if message.topic == EVENTS and (said := json.loads(message.value))["kind"] == "ended":
            detail = said.get("detail", "")
            return End(commit.progress.stream, said["outcome"], detail, lost=said["lost"])
    return None


def _is_end(message: Message, end: End | None) -> bool:
    return bool(end) and message.topic == EVENTS and json.loads(message.value)["kind"] == "ended"


def _publisher(commit: Commit) -> Publisher:
    """Of the commit's stream, for what is told of it beside results."""
    models = (m.headers["ce_model"] for m in commit.messages if "ce_model" in m.headers)
    return Publisher(commit.progress.stream, commit.progress.job, next(models, ""), live=True)

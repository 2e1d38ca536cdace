"""How one stream fares, as its records tell: which state, how fast, how late. Pure.

Records in the order in which they were written -> JSON values at a time.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Mapping
from contextlib import suppress
from math import ceil
from statistics import median
from typing import Any

from pipeline.records.age import age
from pipeline.records.payloads import time_us
from pipeline.records.record import Message, StoredRecord
from pipeline.records.topics import OF_EVERY_RUN, SHOTS
from pipeline.stream.chunk import TROUBLES
from pipeline.stream.progress import Progress
from pipeline.stream.session import is_connection
from pipeline.view.series import Headers

LATELY_US = 10_000_000  # over which frames are counted
SILENT_US = 5_000_000  # without a record, at least, until a stream that runs is silent
INTERVALS = 5  # and so many of its usual pauses between two commits
PAUSES = 16  # that the usual one is taken of
AHEAD_US = 2_000_000  # that a writer's clock may be ahead of ours

_AFTER = {"stalled": "stalled", "disconnected": "reconnecting", "crashed": "reconnecting"}
assert _AFTER.keys() == set(TROUBLES)


class StreamState:
    """Of one stream. From one thread."""

    def __init__(self, stream: str) -> None:
        self.stream = stream
        self._progress: Progress | None = None
        self._session = ""
        self._last_us: int | None = None
        self._seen_us: int | None = None
        self._worth: dict[str, bool] = {"outofdomain": False, "untrained": False}
        self._times: dict[str, deque[int]] = defaultdict(deque)  # topic -> when published
        self._ages: deque[tuple[int, float]] = deque()
        self._pauses: deque[int] = deque(maxlen=PAUSES)
        self._trouble: tuple[str, str, int] | None = None  # kind, detail, when it was noticed
        self._since_us: int | None = None
        self._state = "connecting"

    def stands(self, progress: Progress) -> None:
        """Where a job has committed it to; of several the newest counts."""
        if self._progress is None or progress.epoch >= self._progress.epoch:
            self._progress = progress

    def take(self, topic: str, headers: Headers, published_us: int) -> None:
        """A record of the stream that is no event."""
        self._publish(published_us)
        if topic in (*OF_EVERY_RUN, SHOTS) or "ce_time" not in headers:
            return
        with suppress(ValueError):
            self._last_us = time_us(headers["ce_time"])
            if self._trouble and time_us(headers["ce_ingesttime"]) > self._trouble[2]:
                self._trouble = None  # it was decoded after that
        self._session = headers.get("ce_session", "")
        self._worth = {name: headers.get(f"ce_{name}") == "true" for name in self._worth}
        self._times[topic].append(published_us)
        _forget(self._times[topic], published_us - LATELY_US)
        record = StoredRecord(Message(topic, self.stream, headers, b""), published_us, 0)
        if old := age(record, published_us):
            self._ages.append((published_us, old.published_s))
            self._forget_ages(published_us)

    def told(self, event: Mapping[str, Any], noticed_us: int, published_us: int) -> None:
        """An event of the stream."""
        self._publish(published_us)
        kind = event.get("kind")
        if kind in _AFTER:
            self._trouble = (str(kind), str(event.get("detail", "")), noticed_us)
        elif kind in ("started", "resumed", "ended"):
            self._trouble = None

    def forget_pauses(self) -> None:
        """What it was told lies apart, and says nothing of how often its records come."""
        self._pauses.clear()

    def plain(self, now_us: int) -> dict[str, Any]:
        """JSON values; times are microseconds since the epoch."""
        state, reason = self._judged(now_us)
        if state != self._state or self._since_us is None:
            self._state, self._since_us = state, self._seen_us
        runs = state != "ended"
        return {
            "stream": self.stream,
            "state": state,
            "reason": reason,
            "since_us": self._since_us,
            "fps": self._fps(now_us) if runs else None,
            "latency_s": self._latency_s(now_us) if runs else None,
            **self._counts(),
            "last_us": self._last_us,
            "seen_us": self._seen_us,
            "live": is_connection(self._session),
            "share": None,
            **self._worth,
        }

    def _judged(self, now_us: int) -> tuple[str, str]:
        progress = self._progress
        if progress and not progress.running:
            return "ended", progress.detail or ("" if progress.status == "ok" else progress.status)
        silent_us = 0 if self._seen_us is None else now_us - self._seen_us
        if self._trouble:
            return _AFTER[self._trouble[0]], self._trouble[1] or self._trouble[0]
        if silent_us > self._longest_us():
            return "silent", "no record came, and nobody said why"
        return ("connecting", "no frame came yet") if self._last_us is None else ("live", "")

    def _longest_us(self) -> int:
        usual_us = round(median(self._pauses)) if self._pauses else 0
        return max(SILENT_US, INTERVALS * usual_us)

    def _publish(self, published_us: int) -> None:
        if self._seen_us is not None and published_us > self._seen_us:
            self._pauses.append(published_us - self._seen_us)
        self._seen_us = max(published_us, self._seen_us or 0)

    def _counts(self) -> dict[str, int]:
        """Of the newest job, as its ledger has them. Frames that no operator was given were none
        of any: the operator that missed most tells."""
        progress = self._progress
        rows = progress.ledger.values() if progress else ()
        dropped = max((row.get("dropped", 0) for row in rows), default=0)
        letters = sum(row.get("deadletter", 0) for row in rows)
        return {"drops": dropped + (progress.lost if progress else 0), "deadletters": letters}

    def _fps(self, now_us: int) -> float | None:
        """Of the topic that knows most frames, by when they were published."""
        most = 0
        for times in self._times.values():
            _forget(times, now_us - LATELY_US)
            most = max(most, len(times))
        return round(most / (LATELY_US / 1e6), 2)

    def _forget_ages(self, now_us: int) -> None:
        while self._ages and self._ages[0][0] < now_us - LATELY_US:
            self._ages.popleft()

    def _latency_s(self, now_us: int) -> float | None:
        """95 of 100 records were published so soon after they were seen (nearest rank)."""
        self._forget_ages(now_us)
        ranked = sorted(old_s for _, old_s in self._ages)
        return round(ranked[ceil(0.95 * len(ranked)) - 1], 3) if ranked else None


def _forget(times: deque[int], before_us: int) -> None:
    while times and times[0] < before_us:
        times.popleft()

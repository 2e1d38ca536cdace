"""Whether two contenders said the same: the gate before any figure.

Two results databases in -> how far they are apart, and what of it is too far. Scalers, positional
embeddings and rounding differ between libraries; frames, counts and meaning must not.
"""

from __future__ import annotations

import io
import json
import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from operators.bench.gate import GateRed
from pipeline.bench.workload import TOPICS
from pipeline.sinks.uri import open_reader

Payloads = Mapping[tuple[str, int], bytes]
"""(topic, pts of the frame, or of the last frame of a window) -> value."""

# Measured between the plain loop and ours with random weights (2026-11-22): ViT-S at 224x224 and
# 224x392 0.998, 0.997, 0.92 and 0.015; ViT-Ti at 56x56 0.76 of the cells, because random heads
# choose among 150 classes by a hair. Another frame of the same clip has a cosine of 0.8 to 0.97.
LEAST_COSINE = 0.99
LEAST_CORRELATION = 0.97
LEAST_CELLS = 0.6
MOST_SCORE = 0.05


@dataclass(frozen=True, slots=True)
class Agreement:
    """How near two contenders are, over all frames.

    Attributes:
        records: topic -> records, of the first contender.
        others: the same of the second.
        same_frames: every record of one has its partner in the other; else the rest is empty.
        cosine: smallest between two class tokens.
        correlation: smallest between two depth maps.
        cells: smallest share of equal cells of two segmentation maps.
        score: largest difference between two scores of an action.
    """

    records: Mapping[str, int]
    others: Mapping[str, int]
    same_frames: bool
    cosine: float = 0.0
    correlation: float = 0.0
    cells: float = 0.0
    score: float = 0.0

    def complaints(self) -> list[str]:
        """What is too far apart, a line each; none where all is well."""
        if self.records != self.others:
            return [f"records per topic differ: {dict(self.records)} and {dict(self.others)}"]
        if not self.same_frames:
            return ["they took different frames"]
        held = (
            ("class tokens: cosine", self.cosine, "at least", LEAST_COSINE),
            ("depth maps: correlation", self.correlation, "at least", LEAST_CORRELATION),
            ("segmentation maps: equal cells", self.cells, "at least", LEAST_CELLS),
            ("action scores: difference", self.score, "at most", MOST_SCORE),
        )
        return [
            f"{what} {value:.4f}, must be {side} {limit}"
            for what, value, side, limit in held
            if not (value >= limit if side == "at least" else value <= limit)  # NaN is red too
        ]

    def require(self, first: str, second: str) -> None:
        """Hold two contenders to having done the same.

        Raises:
            GateRed: names them and what is wrong.
        """
        if complaints := self.complaints():
            raise GateRed(f"{first} and {second} disagree, so no figures: {'; '.join(complaints)}")


def compare(first: Payloads, second: Payloads) -> Agreement:
    """Lay two contenders' payloads side by side."""
    records, others = _counts(first), _counts(second)
    if first.keys() != second.keys():
        return Agreement(records, others, same_frames=False)
    return Agreement(
        records,
        others,
        same_frames=True,
        cosine=min(_cosine(*pair) for pair in _pairs("embedding", first, second)),
        correlation=min(_correlation(*pair) for pair in _pairs("depth", first, second)),
        cells=min(_equal_cells(*pair) for pair in _pairs("segmentation", first, second)),
        score=max(_score_difference(*pair) for pair in _pairs("action", first, second)),
    )


def our_payloads(database: Path) -> Payloads:
    """What dinostream wrote."""
    reader = open_reader(f"sqlite:{database}")
    try:
        return {
            (record.message.topic, int(record.message.headers["ce_pts"])): record.message.value
            for record in reader.records(TOPICS)
        }
    finally:
        reader.close()


def plain_payloads(database: Path) -> Payloads:
    """What the plain loop wrote."""
    connection = sqlite3.connect(database)
    try:
        rows = connection.execute("SELECT topic, pts, value FROM results").fetchall()
    finally:
        connection.close()
    return {(topic, pts): value for topic, pts, value in rows}


def _counts(payloads: Payloads) -> dict[str, int]:
    counts = Counter(topic for topic, _ in payloads)
    return {topic: counts[topic] for topic in TOPICS}


def _pairs(topic: str, first: Payloads, second: Payloads) -> Iterator[tuple[bytes, bytes]]:
    return ((first[key], second[key]) for key in sorted(first) if key[0] == topic)


def _cosine(first: bytes, second: bytes) -> float:
    one, other = (np.frombuffer(value, "<f4").astype(float) for value in (first, second))
    return float(one @ other / np.linalg.norm(one) / np.linalg.norm(other))


def _correlation(first: bytes, second: bytes) -> float:
    return float(np.corrcoef(_map(first).ravel(), _map(second).ravel())[0, 1])


def _equal_cells(first: bytes, second: bytes) -> float:
    return float((_map(first) == _map(second)).mean())


def _score_difference(first: bytes, second: bytes) -> float:
    """Over labels that either tells of; one that the other leaves out counts as its lowest."""
    one, other = _scores(first), _scores(second)
    return max(
        abs(one.get(label, min(one.values())) - other.get(label, min(other.values())))
        for label in one.keys() | other.keys()
    )


def _map(value: bytes) -> NDArray[np.float64]:
    return np.asarray(Image.open(io.BytesIO(value)), dtype=np.float64)


def _scores(value: bytes) -> dict[int, float]:
    return {label["id"]: label["score"] for label in json.loads(value)["labels"]}

"""Whether an operator's results may be timed: numbers that are numbers, and the same every time.

Features and results in -> nothing, or the gate is red. Knows nothing of time.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from operators.bench.gate import GateRed
from operators.frames import Features
from operators.result import JPEG, JSON, OCTETS, PNG, Result, canonical_json


@dataclass(frozen=True, slots=True)
class Said:
    """What an operator said in one lap.

    Attributes:
        records: how many.
        sha256: over all of them, hex.
    """

    records: int
    sha256: str


def require_finite_features(features: Features) -> None:
    """Hold every tensor that operators may read to being numbers.

    Raises:
        GateRed: NaN or infinity.
    """
    count = len(features.infos)
    tensors = [features.cls, features.patches]
    tensors += [tensor for pair in features.layers.values() for tensor in pair]
    if not all(bool(tensor[:count].isfinite().all()) for tensor in tensors):
        raise GateRed("the backbone's features hold NaN or infinity, so no figures")


def require_sound(operator: str, results: Sequence[Result]) -> None:
    """Hold an operator to having said something, in numbers that are numbers.

    Args:
        operator: whose they are, for the error's text.
        results: of one lap.

    Raises:
        GateRed: no result at all, NaN or infinity, or a picture that cannot be read.
    """
    if not results:
        raise GateRed(f"{operator} says nothing about this clip, so no figures")
    for result in results:
        if not _is_finite(result):
            raise GateRed(
                f"{operator}: {result.operator} of frame {result.info.position} holds NaN or "
                "infinity or cannot be read, so no figures"
            )


def require_the_same(operator: str, before: Said, now: Said) -> None:
    """Hold two laps to the same results.

    Raises:
        GateRed: they differ.
    """
    if before != now:
        raise GateRed(
            f"{operator} said something else about the same frames, so no figures: "
            f"{before.records} records {before.sha256[:12]}, then {now.records} {now.sha256[:12]}"
        )


def said(results: Sequence[Result]) -> Said:
    """Everything that a reader of the records could tell apart, as one hash."""
    digest = hashlib.sha256()
    for one in results:
        start = one.start.position if one.start else None
        where = (one.info.position, one.part)
        facts = (one.operator, where, start, one.content_type, dict(one.attributes))
        digest.update(canonical_json([*facts, hashlib.sha256(one.data).hexdigest()]) + b"\n")
    return Said(len(results), digest.hexdigest())


def _is_finite(result: Result) -> bool:
    try:
        return _PAYLOADS[result.content_type](result.data)
    except (OSError, ValueError):
        return False


def _finite_vector(data: bytes) -> bool:
    return bool(np.isfinite(np.frombuffer(data, "<f4")).all())


def _finite_json(data: bytes) -> bool:
    return all(math.isfinite(number) for number in _numbers(json.loads(data)))


def _whole_picture(data: bytes) -> bool:
    """Its samples are whole numbers; reading it proves its checksums."""
    Image.open(io.BytesIO(data)).load()
    return True


def _numbers(value: Any) -> Iterator[float]:
    if isinstance(value, int | float):
        yield value
    elif isinstance(value, list | Mapping):
        for below in value.values() if isinstance(value, Mapping) else value:
            yield from _numbers(below)


_PAYLOADS = {OCTETS: _finite_vector, JSON: _finite_json, PNG: _whole_picture, JPEG: _whole_picture}

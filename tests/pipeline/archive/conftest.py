"""Frames of an archive that cost nothing: pictures of noise, and who they are."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest

from operators.archive.kind import Kind
from operators.archive.layout import Layout
from operators.frames import FrameInfo
from pipeline.archive.group import Group
from pipeline.archive.header import Header

LAYOUT = Layout((), True, 2, 4)


def info(number: int, session: str = "first", stream: str = "cam1") -> FrameInfo:
    time_us = 1_000_000 + number * 200_000
    facts = (stream, session, str(number * 5), number * 5, Fraction(1, 25), time_us, time_us)
    return FrameInfo(*facts, (360, 640), epoch=1)


def picture(number: int) -> np.ndarray:
    return np.random.default_rng(number).integers(0, 256, (2, 3, 3), dtype=np.uint8)


@pytest.fixture(scope="session")
def group() -> Callable[..., Group]:
    """`group(4, 6)`: frames 4 and 5 of the session."""

    def made(first: int, below: int, *, session: str = "first", **more) -> Group:
        numbers = range(first, below)
        return Group(
            first,
            tuple(info(number, session) for number in numbers),
            tuple(1 + number % 3 for number in numbers),
            np.stack([picture(number) for number in numbers]),
            **more,
        )

    return made


@pytest.fixture(scope="session")
def header() -> Callable[..., Header]:
    kind = Kind(LAYOUT, "b" * 64, "dinov2_vitti14", "a" * 64, "torch, float32, cpu")

    def made(session: str = "first", begin_us: int = 1_000_000, job: str = "j" * 12) -> Header:
        rules = ("fps:5", "fps:2.5")
        return Header("cam1", session, job, rules, 112, begin_us, kind)

    return made

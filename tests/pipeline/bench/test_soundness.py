"""What may be timed: payloads that are numbers, features that are numbers, equal laps."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import torch

from operators.bench.gate import GateRed
from operators.frames import Features, FrameInfo
from operators.png import grey16_png
from operators.result import JSON, OCTETS, PNG, Result
from pipeline.bench.soundness import (
    require_finite_features,
    require_sound,
    require_the_same,
    said,
)

INFO = FrameInfo("room", "s", "40", 40, Fraction(1, 1000), 40_000, 0, (28, 28))
PICTURE = grey16_png(np.arange(16, dtype=np.uint16).reshape(4, 4))
SOUND = [
    Result(INFO, "embedding", OCTETS, np.ones(4, "<f4").tobytes(), {"dim": "4"}),
    Result(INFO, "action", JSON, b'{"labels":[{"score":0.5,"name":"NaN"}]}', start=INFO),
    Result(INFO, "depth", PNG, PICTURE),
]


@pytest.mark.parametrize("one", SOUND, ids=lambda one: one.operator)
def test_sound_results_pass(one):
    require_sound("x", [one])


@pytest.mark.parametrize(
    "one",
    [
        replace(SOUND[0], data=np.array([1, np.inf], "<f4").tobytes()),
        replace(SOUND[0], data=b"abc"),
        replace(SOUND[1], data=b'{"labels":[{"score":NaN}]}'),
        replace(SOUND[1], data=b"{"),
        replace(SOUND[2], data=PICTURE[:50]),
        replace(SOUND[2], data=b"no picture"),
    ],
)
def test_one_unsound_result_is_red(one):
    with pytest.raises(GateRed, match=f"x: {one.operator} of frame 40 holds NaN"):
        require_sound("x", [*SOUND, one])


def test_silence_is_red():
    with pytest.raises(GateRed, match="x says nothing"):
        require_sound("x", [])


@pytest.mark.parametrize("broken", ["cls", "patches", "layers", None])
def test_features_are_numbers_in_the_rows_that_count(broken):
    def tensor(name, *shape):
        values = torch.zeros(shape)
        values[1:] = torch.nan  # padding
        values[0] = torch.nan if name == broken else 0
        return values

    features = Features(
        (INFO,),
        tensor("cls", 2, 4),
        tensor("patches", 2, 2, 2, 4),
        {3: (tensor("", 2, 2, 2, 4), tensor("layers", 2, 4))},
    )
    if broken is None:
        require_finite_features(features)
        return
    with pytest.raises(GateRed, match="NaN or infinity"):
        require_finite_features(features)


def test_any_difference_that_a_reader_could_see_is_red():
    before = said(SOUND)
    require_the_same("x", before, said([replace(one) for one in SOUND]))
    later = replace(INFO, position="41")
    for changed in (
        replace(SOUND[0], data=np.zeros(4, "<f4").tobytes()),
        replace(SOUND[0], attributes={"dim": "5"}),
        replace(SOUND[0], info=later),
        replace(SOUND[0], operator="embedding.other"),
    ):
        with pytest.raises(GateRed, match="x said something else"):
            require_the_same("x", before, said([changed, *SOUND[1:]]))
    with pytest.raises(GateRed, match=r"3 records .*, then 2 "):
        require_the_same("x", before, said(SOUND[1:]))


def test_when_a_frame_was_decoded_changes_nothing():
    assert said([replace(SOUND[0], info=replace(INFO, ingest_time_us=7))]) == said(SOUND[:1])

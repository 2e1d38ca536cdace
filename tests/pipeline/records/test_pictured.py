"""Dead letters that show their frame: all of it, or as much as a letter may hold."""

from __future__ import annotations

import io
import json
from base64 import b64decode

import numpy as np
import pytest
from PIL import Image

from pipeline.records.message import Publisher
from pipeline.records.pictured import LARGEST_BYTES, PicturedPublisher, without_picture
from pipeline.records.record import Refused

OF = ("cam1", "feedfacecafe", "dinov2_vits14-b938bf1bc15c")


def noise(height: int, width: int) -> np.ndarray:
    """What PNG cannot make smaller."""
    return np.random.default_rng(1).integers(0, 256, (height, width, 3), np.uint8)


@pytest.mark.parametrize(("size_hw", "step"), [((224, 224), 1), ((518, 518), 2), ((518, 1500), 4)])
def test_the_picture_is_as_large_as_a_letter_may_hold(build, described, size_hw, step) -> None:
    pixels = noise(*size_hw)
    publisher = PicturedPublisher(*OF, 0.0, lambda _: pixels)
    message = publisher.dead_letter(build.info(2), "depth", ValueError("no"))
    described(message)
    assert len(message.value) < LARGEST_BYTES * 4 / 3 + 4000
    picture = json.loads(message.value)["picture"]
    shown = np.asarray(Image.open(io.BytesIO(b64decode(picture["png"]))))
    assert picture["step"] == step
    assert np.array_equal(shown, pixels[::step, ::step])


def test_a_letter_with_another_picture_has_another_id(build) -> None:
    of = (build.info(2), "depth", ValueError("no"))
    plain = Publisher(*OF).dead_letter(*of)
    black, noisy = (
        PicturedPublisher(*OF, 0.0, lambda _, shown=shown: shown).dead_letter(*of)
        for shown in (np.zeros((28, 28, 3), np.uint8), noise(28, 28))
    )
    assert len({plain.id, black.id, noisy.id}) == 3
    assert "picture" not in json.loads(plain.value)
    assert {**json.loads(noisy.value), "picture": None} == {
        **json.loads(plain.value),
        "picture": None,
    }


def test_a_letter_without_its_picture_says_why_and_is_another_one(build, described) -> None:
    publisher = PicturedPublisher(*OF, 1.0, lambda _: noise(28, 28))
    letter = publisher.dead_letter(build.info(2), "depth", ValueError("no"))
    smaller, other = (
        without_picture(letter, Refused("deadletter", letter.id, len(letter.value), limit))
        for limit in (2000, 1000)
    )
    described(smaller)
    plain = Publisher(*OF).dead_letter(build.info(2), "depth", ValueError("no"))
    said = json.loads(smaller.value)
    assert said.pop("picture_left_out").endswith(
        "bytes; topic deadletter takes 2000 with headers, compressed (max.message.bytes)"
    )
    assert said == json.loads(plain.value)
    ids = {one.id for one in (letter, smaller, other, plain)}
    assert len(ids) == 4
    assert len({one.rpartition(".")[0] for one in ids}) == 1
    assert without_picture(smaller, Refused("deadletter", smaller.id, 9, 1)) is None

"""Pixels as a backbone: against means taken by hand, and held to what an engine promises."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from operators.frames import FrameBatch, FrameInfo
from operators.peers.load import load_peer, start_peer
from operators.peers.name import PeerName
from operators.peers.pixels import PATCH, PixelCells

PIXELS = PeerName.parse("pixels:8x8")


@pytest.fixture
def backbone():
    backbone = start_peer(load_peer(PIXELS), blocks=[0], threads=2)
    yield backbone
    backbone.close()


def frames(count, height=28, width=56):
    pixels = np.random.default_rng(7).integers(0, 256, (count, height, width, 3), np.uint8)
    return FrameBatch((FrameInfo.of_picture(),) * count, pixels)


def cells_by_hand(picture):
    """Means `[3, 8, 8]` of `[3, H, W]`; a row or column that a border cuts is in both cells."""
    spans = [
        [(k * side // 8, -(-(k + 1) * side // 8)) for k in range(8)] for side in picture.shape[1:]
    ]
    return torch.tensor(
        [
            [[colour[a:b, c:d].mean() for c, d in spans[1]] for a, b in spans[0]]
            for colour in picture.numpy()
        ]
    )


def test_a_class_token_is_the_picture_in_eight_by_eight_cells():
    pictures = torch.rand(2, 3, 28, 56, generator=torch.Generator().manual_seed(1))
    tokens, _ = PixelCells("pixels:8x8").tokens(pictures)
    assert tokens.shape == (2, 1 + 2 * 4, 192)
    for token, picture in zip(tokens[:, 0], pictures, strict=True):
        assert torch.allclose(token.view(3, 8, 8), cells_by_hand(picture), atol=1e-6)


def test_a_patch_is_itself_in_eight_by_eight_cells():
    flat = torch.zeros(1, 3, 2 * PATCH, 2 * PATCH)
    flat[:, :, PATCH:, :PATCH] = torch.tensor([0.1, 0.5, 0.9]).view(1, 3, 1, 1)
    tokens, kept = PixelCells("pixels:8x8").tokens(flat, [0])
    patches = tokens[0, 1:].view(4, 3, 64)
    assert patches[[0, 1, 3]].abs().max() == 0
    assert torch.allclose(patches[2], torch.tensor([0.1, 0.5, 0.9])[:, None].expand(3, 64))
    assert kept[0] is tokens


def test_a_frame_has_the_same_bits_beside_any_others(backbone):
    batch = frames(5)
    together = backbone(batch)
    alone = backbone(FrameBatch(batch.infos[:1], batch.pixels[3:4]))
    assert together.patches.shape == (8, 2, 4, 192)
    assert torch.equal(together.cls[3], alone.cls[0])
    assert torch.equal(together.patches[3], alone.patches[0])
    assert torch.equal(together.layers[0][0][3], together.patches[3]), "there is no norm"


def test_another_look_sees_the_same_colours(backbone):
    features = backbone(frames(1))
    again = features.again(0, (2, 4))
    assert torch.allclose(again.cls[0], features.cls[0], atol=1e-6)


def test_what_computes_is_named(backbone):
    assert backbone.loaded.name == "pixels:8x8-000000000000"
    assert not backbone.loaded.untrained
    assert backbone.identity.startswith(f"mean colours, torch {torch.__version__}, float32, mean")

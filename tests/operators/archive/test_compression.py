"""There and back: what is lost, and that nothing of a frame depends on its batch mates."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from operators.archive.backbone import KeptBackbone
from operators.archive.compression import compressed, quantised
from operators.backbones.engines.choice import EXACT
from operators.errors import UsageError, WeightsError
from operators.frames import FrameBatch, FrameInfo
from tests.operators.archive.conftest import layout_of


def kept_backbone(backbone, kind, basis, **more):
    options = {"blocks": kind.layout.blocks, "batch_size": 4, "threads": 1} | more
    return KeptBackbone(
        backbone.loaded, kind, basis, device=torch.device("cpu"), choice=EXACT, **options
    )


def seen(kept, pictures):
    return kept(FrameBatch((FrameInfo.of_picture(),) * len(pictures), pictures))


def test_codes_are_within_half_a_step():
    along = torch.from_numpy(np.random.default_rng(0).normal(size=(50, 8))).float()
    along[7] = 0
    codes, scale = quantised(along)
    step = scale.float()[:, None]
    assert codes.dtype == torch.int8
    assert scale.dtype == torch.float16
    assert not codes[7].any()
    assert ((codes * step - along).abs() <= step * 0.57).all()  # half, and the scale's rounding
    assert codes.abs().amax(dim=1)[:7].min() == 127


@pytest.mark.parametrize("blocks", [(), (1,), (2,), (1, 2)])
def test_features_come_back(backbone, features, basis_of, kept_of, kind_of, blocks):
    layout = layout_of(blocks, 60)
    basis = basis_of(layout)
    kept = kept_backbone(backbone, kind_of(layout, basis), basis)
    back = seen(kept, kept_of(layout, basis))
    assert set(back.layers) == set(blocks)
    pairs = [(features.patches, back.patches), (features.cls[:, None], back.cls[:, None])]
    for block in blocks:
        pairs += [(features.layers[block][0], back.layers[block][0])]
        pairs += [(features.layers[block][1], back.layers[block][1])]
    for real, got in pairs:
        assert got.dtype == torch.float32
        assert (got - real).norm() < 0.02 * real.norm()
    assert back.pixels is None


def test_no_bit_depends_on_batch_mates_or_threads(backbone, basis_of, kept_of, kind_of):
    layout = layout_of((1, 2), 24)
    basis = basis_of(layout)
    kind, pictures = kind_of(layout, basis), kept_of(layout, basis)
    together = seen(kept_backbone(backbone, kind, basis, threads=2), pictures)
    alone = kept_backbone(backbone, kind, basis, batch_size=1)
    for row in range(4):
        one = seen(alone, pictures[row : row + 1])
        assert torch.equal(one.patches[0], together.patches[row])
        assert torch.equal(one.cls[0], together.cls[row])
        for block in (1, 2):
            assert torch.equal(one.layers[block][0][0], together.layers[block][0][row])


def test_what_is_kept_does_not_depend_on_batch_mates(features, basis_of):
    layout = layout_of((1, 2), 24)
    chosen = basis_of(layout).chosen(layout)
    first = compressed(features.take([0]), layout, chosen, slice(0, 1))
    again = compressed(features.take([2, 0]), layout, chosen, slice(1, 2))
    assert all(torch.equal(one, other) for one, other in zip(first, again, strict=True))


def test_registers_are_kept_beside_the_class_token(features, basis_of):
    layout = replace(layout_of((2,), 8), registers=4)
    chosen = basis_of(layout_of((2,), 8)).chosen(layout)
    registers = torch.randn(4, 4, 192)
    with_registers = replace(features, registers={2: registers})
    *_, fine = compressed(with_registers, layout, chosen, slice(0, 4))
    assert torch.equal(fine.view(torch.float16)[:, 1:], registers.half())


def test_a_block_that_was_not_kept_is_refused(backbone, basis_of, kind_of):
    layout = layout_of((2,), 8)
    basis = basis_of(layout)
    with pytest.raises(UsageError, match=r"read block 1 .*, and what was kept is block\.2"):
        kept_backbone(backbone, kind_of(layout, basis), basis, blocks=(1, 2))
    other = replace(backbone.loaded, sha256="0" * 64)
    with pytest.raises(WeightsError, match="was fitted on the backbone"):
        kept_backbone(Weights(other), kind_of(layout, basis), basis)


def test_a_basis_that_is_another_file_by_now_is_refused(backbone, basis_of, kind_of):
    basis = basis_of(layout_of((2,), 8))
    kind = replace(kind_of(layout_of((2,), 8), basis), basis="c" * 64)
    with pytest.raises(WeightsError, match=f"its sha256 is {basis.sha256}, and .* kept in cccc"):
        kept_backbone(backbone, kind, basis)


class Weights:
    """A backbone for its weights only."""

    def __init__(self, loaded):
        self.loaded = loaded

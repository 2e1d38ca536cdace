"""The basis: held to its backbone and to what is to be kept, and what it puts first."""

import numpy as np
import pytest
import torch

from operators.archive.basis import Basis, write_basis
from operators.archive.moments import Moments
from operators.errors import WeightsError
from tests.operators.archive.conftest import layout_of


def tokens(seed=0, width=6):
    """Variance 36, 25, ... 1 along the axes."""
    draw = np.random.default_rng(seed)
    return torch.from_numpy(draw.normal(size=(5000, width)) * np.arange(width, 0, -1)).float()


def moments_of(patches):
    moments = Moments(patches.shape[-1])
    for part in patches.chunk(7):
        moments.add(part)
    return moments


def test_without_heads_the_directions_are_the_principal_components():
    patches = tokens()
    found, explained = moments_of(patches).directions(3)
    own = np.linalg.svd((patches - patches.mean(0)).double().numpy(), full_matrices=False)
    share = (own.S[:3] ** 2).sum() / (own.S**2).sum()
    assert explained == pytest.approx(share, rel=1e-6)
    unit = found.into / found.into.norm(dim=1, keepdim=True)
    along = np.abs((unit.double().numpy() * own.Vh[:3]).sum(1))
    assert along == pytest.approx([1, 1, 1], abs=1e-5)


def test_all_components_give_back_what_went_in():
    patches = tokens()
    found, explained = moments_of(patches).directions(6, [torch.randn(2, 6)])
    back = (patches - found.mean) @ found.into.T @ found.back + found.mean
    assert explained == pytest.approx(1)
    assert torch.allclose(back, patches, atol=1e-4)


def test_what_a_head_reads_comes_before_what_varies_more():
    patches, head = tokens(), torch.eye(6)[5:]
    plain, _ = moments_of(patches).directions(2)
    read, _ = moments_of(patches).directions(2, [head])

    def error(found):
        back = (patches - found.mean) @ found.into.T @ found.back + found.mean
        return float((head @ (back - patches).T).abs().mean())

    assert error(plain) > 0.5
    assert error(read) < 0.05


def test_more_components_than_there_can_be_are_refused():
    with pytest.raises(ValueError, match="9 components of 5000 patches with 6"):
        moments_of(tokens()).directions(9)


def test_a_basis_of_other_weights_is_refused(basis_of):
    basis = basis_of(layout_of((2,), 8))
    with pytest.raises(WeightsError, match="was fitted on the backbone dinov2_vitti14 with sha256"):
        basis.check("0" * 64, "dinov2_vitti14")


def test_a_basis_without_what_heads_read_is_refused(basis_of):
    basis = basis_of(layout_of((2,), 8))
    with pytest.raises(WeightsError, match=r"the basis has block\.2, and the heads .* block\.1"):
        basis.chosen(layout_of((1, 2), 8))
    with pytest.raises(WeightsError, match="has 8 components, 9 are asked for"):
        basis.chosen(layout_of((2,), 9))
    assert len(basis.chosen(layout_of((2,), 5))["block.2"].into) == 5


def test_another_file_is_no_basis(tmp_path):
    with pytest.raises(WeightsError, match="no such basis; dinostream fit features makes one"):
        Basis.read(tmp_path / "none.safetensors")
    other = tmp_path / "head.safetensors"
    found, _ = moments_of(tokens()).directions(2)
    write_basis(other, {"final": found}, {"backbone": "a" * 64})
    other.write_bytes(other.read_bytes().replace(b"features", b"segments"))
    with pytest.raises(WeightsError, match="is no basis of features"):
        Basis.read(other)

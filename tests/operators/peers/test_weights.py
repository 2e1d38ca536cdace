"""Files as DINO v1, iBOT and timm publish them, in the names that a model wants."""

from __future__ import annotations

from argparse import Namespace

import pytest
import torch
from torch import nn

from operators.errors import WeightsError
from operators.peers.weights import published_tensors


class Small(nn.Module):
    """Names as a vision transformer of timm has them."""

    def __init__(self, patch: int = 4) -> None:
        super().__init__()
        self.cls_token = nn.Parameter(torch.randn(1, 1, 6))
        self.patch_embed = nn.Module()
        self.patch_embed.proj = nn.Conv2d(3, 6, patch, patch)
        self.norm = nn.LayerNorm(6)


@pytest.fixture
def model():
    torch.manual_seed(3)
    return Small()


@pytest.fixture
def file(tmp_path):
    return tmp_path / "checkpoint.pth"


def wrapped(tensors, prefix):
    return {f"{prefix}{name}": tensor for name, tensor in tensors.items()}


def same(got, want):
    return got.keys() == want.keys() and all(torch.equal(got[name], want[name]) for name in want)


def test_a_bare_backbone_is_read_as_it_is(model, file):
    torch.save(model.state_dict(), file)
    assert same(published_tensors(file, model), model.state_dict())


def test_of_a_whole_checkpoint_it_is_the_teacher(model, file):
    """As `main_dino.py` and `main_ibot.py` save: wrapped, with heads, options and an optimizer."""
    teacher = model.state_dict()
    unread = {
        "head.last_layer.weight_v": torch.ones(2, 2),
        "backbone.masked_embed": torch.ones(1, 6),
    }
    torch.save(
        {
            "student": wrapped(wrapped(Small().state_dict(), "backbone."), "module."),
            "teacher": wrapped(teacher, "backbone.") | unread,
            "optimizer": {"state": {0: {"step": 3}}, "param_groups": [{"lr": 0.1}]},
            "epoch": 100,
            "args": Namespace(arch="vit_small", patch_size=16, out_dim=8192),
        },
        file,
    )
    assert same(published_tensors(file, model), teacher)


def test_what_ibot_cuts_out_of_a_checkpoint_is_read(model, file):
    """As its `extract_backbone_weights.py` saves."""
    own = wrapped(model.state_dict(), "module.backbone.")
    torch.save({"state_dict": own | {"module.head.mlp.0.weight": torch.ones(2)}}, file)
    assert same(published_tensors(file, model), model.state_dict())


def test_half_precision_becomes_float32(model, file):
    torch.save(model.half().state_dict(), file)
    got = published_tensors(file, model)
    assert {tensor.dtype for tensor in got.values()} == {torch.float32}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda own: own.pop("norm.bias"), "missing keys: norm.bias"),
        (lambda own: own.update(strange=torch.ones(1)), "unexpected keys: strange"),
        (lambda own: own.update(cls_token=torch.ones(1, 1, 5)), r"cls_token is \[1, 1, 5\]"),
        (
            lambda own: own.update(Small(8).state_dict()),
            r"patch_embed.proj.weight is \[6, 3, 8, 8\], the model's projection of patches is",
        ),
    ],
)
def test_a_file_of_another_model_is_refused(model, file, change, said):
    own = model.state_dict()
    change(own)
    torch.save(own, file)
    with pytest.raises(WeightsError, match=said):
        published_tensors(file, model)


def test_what_a_pickle_asks_to_run_does_not_run(model, file):
    class Bomb:
        def __reduce__(self):
            return print, ("boom",)

    torch.save({"teacher": model.state_dict(), "args": Bomb()}, file)
    with pytest.raises(WeightsError, match="refused, it asks to run"):
        published_tensors(file, model)

"""Parity with timm's own forward and with OpenCLIP's own tower, on seeded weights."""

from __future__ import annotations

from functools import partial
from importlib.util import find_spec

import numpy as np
import pytest
import torch
from torch import nn

from operators.backbones.random_weights import drawn_tensors
from operators.backbones.statistics import IMAGENET
from operators.errors import UsageError, WeightsError
from operators.frames import FrameBatch, FrameInfo
from operators.peers.library import published_statistics, timm_vit
from operators.peers.load import load_peer, start_peer
from operators.peers.name import PeerName
from operators.peers.recipe import CLIP
from operators.peers.timm_vit import TimmVit
from operators.peers.weights import published_tensors

MAX_ERROR = 1e-5
SMALL = "test_vit.r160_in1k"  # 64 wide, 6 blocks, patches of 16 px, published at 160 px


def published(model, statistics, frame):
    """What a user of timm would do with a frame `[H, W, 3]` at 0..255."""
    scaled = torch.from_numpy(frame).permute(2, 0, 1)[None].float() / 255
    mean, std = (torch.tensor(one).view(1, 3, 1, 1) for one in (statistics.mean, statistics.std))
    return (scaled - mean) / std


def frame_of(height, width):
    return np.random.default_rng(5).integers(0, 256, (height, width, 3), np.uint8)


def seen(backbone, frame):
    return backbone(FrameBatch((FrameInfo.of_picture(),), frame[None]))


@pytest.mark.slow
@pytest.mark.parametrize("name", [SMALL, "vit_small_patch16_224.dino"])
@pytest.mark.parametrize("size_hw", [(224, 224), (48, 80)])
def test_tokens_are_those_of_timm(timm, name, size_hw):
    theirs = timm.create_model(name, pretrained=False, num_classes=0, dynamic_img_size=True).eval()
    theirs.load_state_dict(drawn_tensors(theirs.state_dict(), 0))
    frame, depth = frame_of(*size_hw), len(theirs.blocks)
    with torch.inference_mode():
        pixels = published(theirs, published_statistics(name), frame)
        want = theirs.forward_features(pixels)
        ((before, prefix),) = theirs.get_intermediate_layers(
            pixels, n=[depth - 2], return_prefix_tokens=True
        )
    backbone = start_peer(load_peer(PeerName("timm", name)), blocks=[depth - 2], threads=1)
    features = seen(backbone, frame)
    again = features.again(0, features.patches.shape[1:3])
    backbone.close()
    patches, cls = features.layers[depth - 2]
    for got, expected in (
        (features.cls[0], want[0, 0]),
        (features.patches[0].flatten(0, 1), want[0, 1:]),
        (patches[0].flatten(0, 1), before[0]),
        (cls[0], prefix[0, 0]),
        (again.cls[0], want[0, 0]),
    ):
        assert (got - expected).abs().max() <= MAX_ERROR
    assert features.patches.shape[1:3] == (size_hw[0] // 16, size_hw[1] // 16)


@pytest.mark.slow
def test_a_published_file_gives_what_timm_gives(timm, tmp_path):
    theirs = timm.create_model(SMALL, pretrained=False, num_classes=0, dynamic_img_size=True).eval()
    theirs.load_state_dict(drawn_tensors(theirs.state_dict(), 4))
    teacher = {f"backbone.{name}": tensor for name, tensor in theirs.state_dict().items()}
    torch.save({"teacher": teacher | {"head.mlp.0.weight": torch.ones(1)}}, tmp_path / "a.pth")
    peer, loaded = load_peer(PeerName("timm", SMALL, tmp_path / "a.pth"))
    assert not loaded.untrained
    assert loaded.source == str(tmp_path / "a.pth")
    with torch.inference_mode():
        pixels = published(theirs, peer.statistics, frame_of(160, 160))
        assert torch.equal(peer.tokens(pixels)[0], theirs.forward_features(pixels))


@pytest.mark.slow
@pytest.mark.parametrize("activation", ["quick_gelu", "gelu"])
def test_a_file_of_open_clip_gives_what_its_own_tower_gives(timm, tmp_path, activation):
    if find_spec("open_clip") is None:
        pytest.skip("open_clip is not installed; it is in the extra `peers`")
    from open_clip.transformer import QuickGELU, VisionTransformer
    from timm.layers import LayerNorm

    torch.manual_seed(2)
    tower = VisionTransformer(
        *(64, 16, 64, 3, 2, 4.0),
        output_dim=32,
        output_tokens=True,
        act_layer=QuickGELU if activation == "quick_gelu" else nn.GELU,
    ).eval()
    file = tmp_path / "open_clip_pytorch_model.bin"
    visual = {f"visual.{name}": tensor for name, tensor in tower.state_dict().items()}
    text = {"logit_scale": torch.ones([]), "token_embedding.weight": torch.ones(2, 2)}
    torch.save(visual | text, file)
    theirs = timm.models.vision_transformer.VisionTransformer(
        *(64, 16, 3, 0, "token", 64, 3, 2),
        pre_norm=True,
        norm_layer=partial(LayerNorm, eps=1e-5),
        act_layer=activation,
        dynamic_img_size=True,
    )
    peer = TimmVit("open_clip:small", theirs, published_tensors(file, theirs), CLIP)
    pixels = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        tokens, kept = peer.tokens(pixels, [2])
        pooled, patches = tower(pixels)
        assert (tokens[:, 0] @ tower.proj - pooled).abs().max() <= MAX_ERROR
        # Its patches come before the last norm or after it, as the release has it: ours both ways.
        near = [(one[:, 1:] - patches).abs().max() for one in (tokens, kept[2])]
        assert min(near) <= MAX_ERROR


@pytest.mark.slow
def test_registers_stand_between_the_class_token_and_the_patches(timm):
    name = PeerName("timm", "vit_small_patch16_dinov3.lvd1689m")
    peer, _ = loaded = load_peer(name)
    assert (peer.architecture.registers, peer.statistics) == (4, IMAGENET)
    backbone = start_peer(loaded, blocks=[11], threads=1)
    features = seen(backbone, frame_of(32, 48))
    backbone.close()
    assert features.patches.shape == (8, 2, 3, 384)
    assert features.registers[11].shape == (8, 4, 384)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("vit_smal_patch16_224.dino", "has no model vit_smal_patch16_224.dino; near: vit_small"),
        ("resnet18.a1_in1k", "timm:resnet18.a1_in1k cannot stand beside ours"),
        ("vit_base_patch16_siglip_224.webli", "cannot stand beside ours, .* class token"),
        ("vit_small_patch16_224", "does not say whose weights.*timm:vit_small_patch16_224.dino"),
        ("vit_small_patch16_224.mine", "cannot|does not say whose weights"),
    ],
)
def test_what_cannot_stand_beside_ours_is_refused(timm, name, said):
    with pytest.raises(UsageError, match=said):
        load_peer(PeerName("timm", name))


@pytest.mark.slow
def test_a_file_that_is_not_there_or_of_another_patch_is_named(timm, tmp_path):
    with pytest.raises(WeightsError, match=r"nothing\.pth"):
        load_peer(PeerName("timm", SMALL, tmp_path / "nothing.pth"))
    other = timm_vit(SMALL).state_dict()
    other["patch_embed.proj.weight"] = torch.ones(64, 3, 8, 8)
    torch.save(other, tmp_path / "eight.pth")
    with pytest.raises(WeightsError, match=r"eight\.pth: does not fit the model; patch_embed"):
        load_peer(PeerName("timm", SMALL, tmp_path / "eight.pth"))

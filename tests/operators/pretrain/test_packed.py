import pytest
import torch

from operators.backbones.architectures import Architecture
from operators.backbones.random_weights import random_tensors
from operators.pretrain.packed import Pack, PackedTransformer

ARCH = Architecture("small", width=32, depth=3, heads=2, registers=2, grid=5)
SWIGLU = Architecture("wide", width=32, depth=2, heads=2, ffn="swiglu", grid=5)


def backbone(arch=ARCH, seed=0):
    own = PackedTransformer(arch)
    own.load_state_dict(random_tensors(arch, seed))
    return own


@pytest.fixture
def crops():
    draw = torch.Generator().manual_seed(1)
    return [
        torch.randn(count, 3, height, width, generator=draw)
        for count, height, width in ((4, 56, 56), (6, 28, 42), (3, 14, 14))
    ]


@pytest.mark.parametrize("arch", [ARCH, SWIGLU], ids=lambda arch: arch.name)
def test_a_pack_is_a_pass_per_size_and_so_are_its_gradients(arch, crops):
    own = backbone(arch)
    packed = own.packed(crops)
    apart = [own(one)[0] for one in crops]
    for one, other in zip(packed, apart, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-6)

    def gradients(outputs):
        loss = sum((output**2).sum() for output in outputs)
        return torch.autograd.grad(loss, list(own.parameters()), allow_unused=True)

    for one, other in zip(gradients(packed), gradients(apart), strict=True):
        if one is not None:  # the mask token has no part in it
            torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)


def test_pictures_in_another_order_give_the_same_in_that_order(crops):
    own, order = backbone(), torch.tensor([2, 0, 3, 1])
    one = own.packed(crops)[0]
    other = own.packed([crops[0][order], *crops[1:]])[0]
    torch.testing.assert_close(one[order], other, rtol=1e-6, atol=1e-6)


def test_hidden_patches_are_not_seen(crops):
    own = backbone()
    own.mask_token.data.normal_(generator=torch.Generator().manual_seed(3))
    masks = torch.zeros(4, 16, dtype=torch.bool)
    masks[1, 5] = masks[2, :] = True
    before = own.packed(crops, masks=masks)
    changed = crops[0].clone()
    changed[1, :, 14:28, 14:28] = 7  # row 1, column 1 of 4 x 4 patches
    changed[2] = 9
    after = own.packed([changed, *crops[1:]], masks=masks)
    for one, other in zip(before, after, strict=True):
        torch.testing.assert_close(one, other)
    assert not torch.allclose(before[0][1], own.packed(crops)[0][1])
    torch.testing.assert_close(before[0][0], own.packed(crops)[0][0])


def test_masked_patches_still_have_their_places(crops):
    own = backbone()
    tokens = own.packed(crops[:1], masks=torch.ones(4, 16, dtype=torch.bool))[0]
    patches = tokens[0, 3:]
    assert (torch.cdist(patches, patches) + torch.eye(16)).min() > 1e-3


def test_what_is_dropped_stays_and_what_is_kept_weighs_more(crops):
    pack = Pack(((4, 17), (6, 7)), 0.5, torch.Generator().manual_seed(0))
    kept, rows, weights = pack.kept(torch.device("cpu"))
    assert kept.sizes == ((2, 17), (3, 7))
    assert rows.unique().numel() == len(rows) == 2 * 17 + 3 * 7
    assert set(weights.flatten().tolist()) == {2.0}
    pictures = [rows[:34].view(2, 17), rows[34:].view(3, 7) - 4 * 17]
    for one, each in zip(pictures, (17, 7), strict=True):  # whole pictures, token by token
        assert (one % each == torch.arange(each)).all()


def test_stochastic_depth_is_the_whole_branch_in_expectation(crops):
    own = backbone(Architecture("one", width=32, depth=1, heads=2, grid=5))
    own.blocks[0].ls2.gamma.data.zero_()  # one branch alone: the second sees what the first drops
    own.norm = torch.nn.Identity()
    draw = torch.Generator().manual_seed(0)
    draws = 400
    mean = sum(own.packed(crops[:1], drop=0.5, draw=draw)[0].detach() for _ in range(draws)) / draws
    whole, none = own.packed(crops[:1])[0], own.packed(crops[:1])[0].clone()
    own.blocks[0].ls1.gamma.data.zero_()
    none = own.packed(crops[:1])[0]
    branch, found = (whole - none).detach(), (mean - none).detach()
    # Half of the draws count twice: a deviation of 1 / sqrt(400) of the branch.
    assert ((found - branch).abs() <= 0.25 * branch.abs() + 1e-6).all()


def test_nothing_is_dropped_without_being_asked(crops):
    own = backbone()
    draw = torch.Generator().manual_seed(0)
    torch.testing.assert_close(own.packed(crops, draw=draw)[0], own.packed(crops)[0])
    assert torch.equal(draw.get_state(), torch.Generator().manual_seed(0).get_state())


@pytest.mark.parametrize("drop", [1.0, -0.1, 0.3])
def test_a_share_that_cannot_be_dropped_is_refused(crops, drop):
    with pytest.raises(ValueError, match="drop"):
        backbone().packed(crops, drop=drop)


def test_a_size_that_is_no_multiple_of_the_patch_is_refused():
    with pytest.raises(ValueError, match="30x28 must be multiples of 14"):
        backbone().packed([torch.zeros(1, 3, 30, 28, dtype=torch.float64)])


def test_positions_follow_a_training(crops):
    own = backbone().requires_grad_(False)
    before = own.packed(crops)[0]
    own.pos_embed.add_(1)
    assert not torch.equal(before, own.packed(crops)[0])

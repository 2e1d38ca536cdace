"""Both losses against their formulas in loops, their weights by hand, their gradients."""

import math

import pytest
import torch

from operators.pretrain.losses import cross_entropy, dino_loss, ibot_loss


def in_a_loop(targets, scores, temperature=0.1):
    """-sum_k t_k log softmax(z / T)_k of one row."""
    total = sum(math.exp(score / temperature) for score in scores.tolist())
    return -sum(
        target * (score / temperature - math.log(total))
        for target, score in zip(targets.tolist(), scores.tolist(), strict=True)
    )


def spread(*shape):
    """Targets of one row for every index: uniform."""
    return torch.full(shape, 1 / shape[-1], dtype=torch.float64)


def test_the_cross_entropy_is_its_formula(normal):
    targets, scores = normal(6, 5).softmax(dim=1), normal(6, 5)
    want = [in_a_loop(*rows) for rows in zip(targets, scores, strict=True)]

    torch.testing.assert_close(cross_entropy(targets, scores), torch.tensor(want).double())
    cold = cross_entropy(targets, scores, temperature=0.5)
    assert cold[0].item() == pytest.approx(in_a_loop(targets[0], scores[0], 0.5))


def test_half_precision_is_summed_in_float32():
    scores = torch.tensor([[60000.0, 0.0]], dtype=torch.float16)
    loss = cross_entropy(torch.tensor([[0.0, 1.0]]), scores, temperature=0.5)

    assert loss.dtype == torch.float32
    assert loss.item() == pytest.approx(120_000, rel=1e-3)


@pytest.mark.parametrize("locals_", [0, 1, 8])
def test_the_image_loss_is_its_formula(normal, locals_):
    targets, own = normal(2, 3, 5).softmax(dim=-1), normal(2, 3, 5)
    local = normal(locals_, 3, 5)
    pairs = 2 + 2 * locals_
    of_locals = sum(
        in_a_loop(targets[teacher, picture], local[crop, picture]) / 3
        for teacher in range(2)
        for crop in range(locals_)
        for picture in range(3)
    )
    of_globals = sum(
        in_a_loop(targets[1 - crop, picture], own[crop, picture]) / 6
        for crop in range(2)
        for picture in range(3)
    )
    loss = dino_loss(targets, own, local)

    assert loss.of_locals.item() == pytest.approx(of_locals / pairs)
    assert loss.of_globals.item() == pytest.approx(of_globals * 2 / pairs)
    assert loss.total.item() == pytest.approx((loss.of_globals + loss.of_locals).item())


def test_where_every_pair_costs_the_same_the_loss_is_that_whatever_the_number_of_crops():
    """Scores without a preference cost log K, whatever the target."""
    for count in (0, 1, 8):
        loss = dino_loss(spread(2, 3, 5), torch.zeros(2, 3, 5), torch.zeros(count, 3, 5))
        assert loss.total.item() == pytest.approx(math.log(5), rel=1e-6)
        assert loss.of_globals.item() == pytest.approx(math.log(5) / (1 + count), rel=1e-6)


def test_a_crop_is_held_against_the_other_one():
    """Each crop is as its own target says, and the opposite of the other's."""
    one, other = torch.eye(2, dtype=torch.float64)
    targets = torch.stack((one, other))[:, None]
    none = torch.zeros(0, 1, 2)

    assert dino_loss(targets, targets, none).total.item() == pytest.approx(10, abs=1e-3)
    assert dino_loss(targets, targets.flip(0), none).total.item() < 1e-3


def test_exchanging_the_global_crops_leaves_the_loss(normal):
    targets, own, local = normal(2, 3, 5).softmax(dim=-1), normal(2, 3, 5), normal(4, 3, 5)
    loss = dino_loss(targets, own, local)

    exchanged = dino_loss(targets.flip(0), own.flip(0), local)
    torch.testing.assert_close(exchanged.of_globals, loss.of_globals)
    torch.testing.assert_close(exchanged.of_locals, loss.of_locals)
    assert not torch.isclose(dino_loss(targets, own.flip(0), local).total, loss.total)


@pytest.mark.parametrize(
    "shapes",
    [
        ((3, 4, 5), (3, 4, 5), (8, 4, 5)),
        ((2, 4, 5), (2, 3, 5), (8, 4, 5)),
        ((2, 4, 5),) * 2 + ((8, 3, 5),),
    ],
)
def test_crops_that_do_not_belong_together_are_refused(shapes):
    with pytest.raises(ValueError, match=r"want targets and global scores \[2, B, K\]"):
        dino_loss(*(torch.zeros(shape) for shape in shapes))


MASKS = torch.tensor(
    [[True, False, True, True], [False] * 4, [False, True, False, False], [False] * 4]
)


def test_the_patch_loss_is_its_formula(normal):
    targets, scores = normal(4, 5).softmax(dim=1), normal(4, 5)
    each = [in_a_loop(*rows) for rows in zip(targets, scores, strict=True)]
    want = (sum(each[:3]) / 3 + each[3]) / 4

    assert ibot_loss(targets, scores, MASKS).item() == pytest.approx(want)


def test_crops_without_a_mask_add_nothing_and_count():
    loss = ibot_loss(spread(4, 5), torch.zeros(4, 5), MASKS)

    assert loss.item() == pytest.approx(math.log(5) / 2, rel=1e-6)
    all_masked = ibot_loss(spread(16, 5), torch.zeros(16, 5), torch.ones(4, 4, dtype=torch.bool))
    assert all_masked.item() == pytest.approx(math.log(5), rel=1e-6)


def test_no_mask_at_all_is_no_loss():
    scores = torch.zeros(0, 5, requires_grad=True)
    loss = ibot_loss(torch.zeros(0, 5), scores, torch.zeros(4, 6, dtype=torch.bool))
    loss.backward()

    assert loss.item() == 0


def test_patches_that_are_not_those_of_the_masks_are_refused():
    with pytest.raises(ValueError, match="4 patches are masked, got 3 targets and 4 scores"):
        ibot_loss(torch.zeros(3, 5), torch.zeros(4, 5), MASKS)


def test_gradients(normal):
    targets, own = normal(2, 3, 5).softmax(dim=-1), normal(2, 3, 5).requires_grad_()
    local = normal(2, 3, 5).requires_grad_()
    assert torch.autograd.gradcheck(lambda a, b: dino_loss(targets, a, b).total, (own, local))

    patches = normal(4, 5).requires_grad_()
    to = normal(4, 5).softmax(dim=1)
    assert torch.autograd.gradcheck(lambda scores: ibot_loss(to, scores, MASKS), (patches,))

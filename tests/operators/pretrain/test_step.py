import pytest
import torch

from operators.backbones.architectures import Architecture
from operators.backbones.preprocess import normalise
from operators.pretrain.crops import Crops
from operators.pretrain.koleo import koleo
from operators.pretrain.learner import HeadShape, Learner, fresh_tensors
from operators.pretrain.losses import cross_entropy
from operators.pretrain.masks import draw_masks
from operators.pretrain.sinkhorn import sinkhorn_knopp
from operators.pretrain.step import Instructions, losses_of, pixels_of

ARCH = Architecture("small", width=32, depth=2, heads=2, registers=1, grid=4)
SHAPE = HeadShape(prototypes=24, hidden=32, bottleneck=16)
HOW = Instructions(0.05, sinkhorn_knopp, sinkhorn_knopp)
PICTURES = 6


def learner(seed):
    own = Learner(ARCH, SHAPE, torch.Generator().manual_seed(seed))
    own.backbone.load_state_dict(fresh_tensors(ARCH, seed, layer_scale=0.5))
    return own


def crops(local_count=2, seed=0):
    draw = torch.Generator().manual_seed(seed)

    def pixels(count, side):
        return torch.randint(
            256, (count, PICTURES, 3, side, side), generator=draw, dtype=torch.uint8
        )

    return Crops(pixels(2, 56), pixels(local_count, 28))


def masks(seed=0):
    return draw_masks(2 * PICTURES, (4, 4), torch.Generator().manual_seed(seed))


def test_every_loss_is_what_its_formula_says_of_separate_passes():
    student, teacher, seen, hidden = learner(0), learner(1), crops(), masks()
    step = losses_of(student, teacher, seen, hidden, HOW)

    def tokens(of, one, mask=None):
        pixels = normalise(one.movedim(1, -1), torch.float32)
        return of.backbone.packed([pixels], masks=mask)[0]

    own = [tokens(student, seen.globals[i], hidden[i * 6 : i * 6 + 6]) for i in range(2)]
    small = [tokens(student, one) for one in seen.locals]
    told = [tokens(teacher, one) for one in seen.globals]
    wanted = sinkhorn_knopp(torch.cat([teacher.dino_head(one[:, 0]) for one in told]), 0.05)
    wanted = wanted.view(2, PICTURES, -1)
    scores = [student.dino_head(one[:, 0]) for one in (*own, *small)]

    def entropy(target, score):
        return cross_entropy(wanted[target], scores[score]).mean()

    pairs = 2 + 2 * 2
    dino_global = (entropy(0, 1) + entropy(1, 0)) / pairs
    dino_local = sum(entropy(target, score) for target in (0, 1) for score in (2, 3)) / pairs
    patches = torch.cat([one[:, 2:] for one in own])
    said = student.ibot_head(patches)
    patch_targets = sinkhorn_knopp(
        teacher.ibot_head(torch.cat([one[:, 2:] for one in told]))[hidden], 0.05
    )
    lost = cross_entropy(patch_targets, said[hidden])
    of = hidden.nonzero()[:, 0]
    ibot = sum(lost[of == i].mean() for i in range(12) if hidden[i].any()) / 12
    spread = 0.1 * (koleo(own[0][:, 0]) + koleo(own[1][:, 0]))
    for name, value in {
        "dino_global": dino_global, "dino_local": dino_local, "ibot": ibot, "koleo": spread
    }.items():  # fmt: skip
        torch.testing.assert_close(step.losses[name], value, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(step.total, sum(step.losses.values()))
    torch.testing.assert_close(step.class_tokens, own[0][:, 0].detach(), rtol=1e-5, atol=1e-6)
    assert step.targets.shape == (2 * PICTURES, 24)


def test_exchanging_the_global_crops_changes_nothing():
    student, teacher, seen, hidden = learner(0), learner(1), crops(), masks()
    step = losses_of(student, teacher, seen, hidden, HOW)
    other = losses_of(
        student,
        teacher,
        Crops(seen.globals.flip(0), seen.locals),
        hidden.view(2, PICTURES, -1).flip(0).flatten(0, 1),
        HOW,
    )
    for name, loss in step.losses.items():
        torch.testing.assert_close(loss, other.losses[name], rtol=1e-5, atol=1e-6)


def test_without_local_crops_global_ones_have_the_whole_weight():
    student, teacher = learner(0), learner(1)
    step = losses_of(student, teacher, crops(local_count=0), masks(), HOW)
    assert step.losses["dino_local"] == 0
    assert 0.5 < step.losses["dino_global"] / torch.log(torch.tensor(24.0)) < 2


def test_without_a_mask_patches_add_nothing():
    none = torch.zeros(2 * PICTURES, 16, dtype=torch.bool)
    step = losses_of(learner(0), learner(1), crops(), none, HOW)
    assert step.losses["ibot"] == 0
    assert torch.isfinite(step.total)


def test_the_teacher_has_no_gradient_and_the_whole_student_has():
    student, teacher = learner(0), learner(1)
    losses_of(student, teacher, crops(), masks(), HOW).total.backward()
    assert all(one.grad is None for one in teacher.parameters())
    assert [name for name, one in student.named_parameters() if one.grad is None] == []


def test_the_teacher_sees_what_is_hidden_from_the_student():
    seen, hidden = crops(), masks()
    before = losses_of(learner(0), learner(1), seen, hidden, HOW)
    place = int(hidden[0].nonzero()[0]) if hidden[0].any() else None
    if place is None:
        pytest.fail("the draw hides nothing of the first crop; take another seed")
    row, column = divmod(place, 4)
    changed = seen.globals.clone()
    changed[0, 0, :, row * 14 : row * 14 + 14, column * 14 : column * 14 + 14] = 0
    after = losses_of(learner(0), learner(1), Crops(changed, seen.locals), hidden, HOW)
    torch.testing.assert_close(after.class_tokens, before.class_tokens)
    assert not torch.equal(after.targets, before.targets)


def test_pixels_are_crop_by_crop():
    seen = crops()
    large, small = pixels_of(seen)
    assert (large.shape, small.shape) == ((12, 3, 56, 56), (12, 3, 28, 28))
    one = normalise(seen.globals[1, 2].movedim(0, -1)[None], torch.float32)[0]
    torch.testing.assert_close(large[PICTURES + 2], one)

import torch

from operators.backbones.architectures import Architecture
from operators.pretrain.crops import Crops
from operators.pretrain.gram_anchor import SCALE, GramAnchored
from operators.pretrain.learner import HeadShape, Learner, fresh_tensors
from operators.pretrain.packed import PackedTransformer
from operators.pretrain.recipe import Recipe
from operators.pretrain.self_distillation import SelfDistillation
from operators.pretrain.training import Training

ARCH = Architecture("tiny", width=32, depth=2, heads=1, registers=1, grid=4)
SHAPE = HeadShape(prototypes=16, hidden=16, bottleneck=8)
RECIPE = Recipe(steps=3, batch=4, masked=0.0)


def learner(seed=0):
    own = Learner(ARCH, SHAPE, torch.Generator().manual_seed(seed))
    own.backbone.load_state_dict(fresh_tensors(ARCH, seed, layer_scale=0.5))
    return own


def anchor(seed=0):
    own = PackedTransformer(ARCH)
    own.load_state_dict(fresh_tensors(ARCH, seed, layer_scale=0.5))
    return own.requires_grad_(False)


def crops(step=0):
    draw = torch.Generator().manual_seed(step)
    side = SCALE * 28

    def pixels(count, side):
        return torch.randint(256, (count, 4, 3, side, side), generator=draw, dtype=torch.uint8)

    return Crops(pixels(2, side), pixels(1, 14))


def test_the_student_sees_half_the_size_and_the_term_is_weighed():
    student = learner()
    losses = {}
    for weight in (1.0, 2.0):
        objective = GramAnchored(SelfDistillation(RECIPE, 16), anchor(1), weight)
        step = objective(student, learner(2), crops(), 0, torch.Generator())
        assert step.patches.shape == (8, 4, 32)  # 2 x 2 patches of 28 px
        losses[weight] = step.losses["gram"]
    torch.testing.assert_close(losses[2.0], 2 * losses[1.0])
    assert losses[1.0] > 0


def test_it_pulls_the_student_alone():
    student, held = learner(), anchor(1)
    objective = GramAnchored(SelfDistillation(RECIPE, 16), held, 1.0)
    objective(student, learner(2), crops(), 0, torch.Generator()).losses["gram"].backward()
    assert student.backbone.blocks[0].attn.qkv.weight.grad.abs().sum() > 0
    assert all(one.grad is None for one in held.parameters())


def test_what_looks_alike_is_nothing_lost():
    """At one size for all, the anchor is what the student is."""
    even = torch.full((2, 4, 3, SCALE * 28, SCALE * 28), 90, dtype=torch.uint8)
    student = learner()
    student.backbone.pos_embed.data.zero_()
    held = anchor()
    held.pos_embed.data.zero_()
    objective = GramAnchored(SelfDistillation(RECIPE, 16), held, 1.0)
    step = objective(student, learner(2), Crops(even, crops().locals), 0, torch.Generator())
    torch.testing.assert_close(step.losses["gram"], torch.tensor(0.0), atol=1e-6, rtol=0)


def test_it_trains():
    objective = GramAnchored(SelfDistillation(RECIPE, 16), anchor(1), 1.0)
    steps = list(Training(learner(), objective, crops, RECIPE).run())
    assert all("gram" in step.losses for step in steps)
    assert all(torch.isfinite(step.total) for step in steps)

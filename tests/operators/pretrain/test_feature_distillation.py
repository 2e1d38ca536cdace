import torch

from operators.backbones.architectures import Architecture
from operators.backbones.random_weights import random_tensors
from operators.backbones.vit import filled_vit
from operators.pretrain.crops import Crops
from operators.pretrain.feature_distillation import FeatureDistillation, FeatureStudent
from operators.pretrain.recipe import Recipe
from operators.pretrain.training import Training

SMALL = Architecture("small", width=32, depth=1, heads=1, grid=4)
LARGE = Architecture("large", width=48, depth=2, heads=2, registers=2, grid=4)


def student():
    own = FeatureStudent(SMALL, LARGE.width, torch.Generator().manual_seed(0))
    own.backbone.load_state_dict(random_tensors(SMALL, 0))
    return own


def crops(step):
    draw = torch.Generator().manual_seed(step)
    pixels = torch.randint(256, (2, 4, 3, 28, 42), generator=draw, dtype=torch.uint8)
    return Crops(pixels, pixels[:0])


def test_a_student_that_says_the_same_loses_nothing():
    teacher = filled_vit(SMALL, random_tensors(SMALL, 0))
    same = FeatureStudent(SMALL, SMALL.width)
    same.backbone.load_state_dict(random_tensors(SMALL, 0))
    for bridge in same.heads:
        torch.nn.init.eye_(bridge.weight)
        torch.nn.init.zeros_(bridge.bias)
    step = FeatureDistillation(teacher)(same, same, crops(0), 0, torch.Generator())
    assert set(step.losses) == {"class", "patches"}
    for loss in step.losses.values():
        torch.testing.assert_close(loss, torch.tensor(0.0), atol=1e-5, rtol=0)
    assert step.class_tokens.shape == (4, SMALL.width)
    assert step.targets is None


def test_a_student_of_another_width_learns_what_a_teacher_with_registers_says():
    teacher = filled_vit(LARGE, random_tensors(LARGE, 1))
    recipe = Recipe(steps=40, batch=4, rate=0.05, momentum=0.5, koleo_weight=0)
    training = Training(student(), FeatureDistillation(teacher), lambda _: crops(0), recipe)
    losses = [float(step.total) for step in training.run()]
    assert losses[-1] < 0.5 * losses[0]


def test_the_teacher_stays_as_it_is():
    teacher = filled_vit(LARGE, random_tensors(LARGE, 1))
    before = {name: one.clone() for name, one in teacher.state_dict().items()}
    recipe = Recipe(steps=2, batch=4)
    list(Training(student(), FeatureDistillation(teacher), crops, recipe).run())
    assert all(torch.equal(one, before[name]) for name, one in teacher.state_dict().items())

"""The teacher is the closed form of the average, and sees what it has become."""

import pytest
import torch
from torch import nn

from operators.backbones.architectures import Architecture
from operators.backbones.random_weights import random_tensors
from operators.backbones.vit import VisionTransformer, filled_vit
from operators.pretrain.average import update_average

ARCH = Architecture("two", width=8, depth=2, heads=2, registers=1, grid=3)


def linear(value):
    layer = nn.Linear(3, 2).double()
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.fill_(value)
    return layer


def test_of_a_student_that_stays_it_is_the_closed_form(normal):
    teacher, student = linear(5.0).requires_grad_(False), linear(1.0)
    for _ in range(20):
        update_average(teacher, student, 0.9)

    want = torch.full((2, 3), 1 + 4 * 0.9**20).double()
    torch.testing.assert_close(teacher.weight, want)
    torch.testing.assert_close(teacher.bias, want[:, 0])
    assert (student.weight == 1).all()
    assert not teacher.weight.requires_grad
    assert teacher.weight.grad is None


def test_momentum_1_keeps_it_and_0_makes_it_the_student():
    teacher = linear(5.0)
    update_average(teacher, linear(1.0), 1.0)
    assert (teacher.weight == 5).all()
    update_average(teacher, linear(1.0), 0.0)
    assert (teacher.weight == 1).all()


def test_a_student_that_learns_gives_no_gradient_to_the_teacher():
    teacher, student = linear(5.0).requires_grad_(False), linear(1.0)
    student(torch.ones(1, 3).double()).sum().backward()
    update_average(teacher, student, 0.5)

    assert teacher.weight.grad is None
    assert teacher.weight.grad_fn is None


def test_a_teacher_looks_with_its_new_positions():
    teacher = filled_vit(ARCH, random_tensors(ARCH, 1))
    student = VisionTransformer(ARCH)
    student.load_state_dict(random_tensors(ARCH, 2))
    pixels = torch.randn(1, 3, 28, 70, generator=torch.Generator().manual_seed(3))
    before, _ = teacher(pixels)
    update_average(teacher, student, 0.5)
    after, _ = teacher(pixels)

    fresh = filled_vit(ARCH, {name: one.clone() for name, one in teacher.state_dict().items()})
    assert torch.equal(after, fresh(pixels)[0])
    assert not torch.equal(after, before)


def test_another_kind_of_student_is_refused():
    with pytest.raises(ValueError, match="only one has bias"):
        update_average(nn.Linear(3, 2), nn.Linear(3, 2, bias=False), 0.9)

"""Gram anchoring against its formula in loops, and the teacher's grid on the student's."""

import pytest
import torch

from operators.pretrain.gram import gram_loss, resized


def cosine(one, other):
    return (one @ other / (one.norm() * other.norm())).item()


def test_it_is_its_formula(normal):
    student, teacher = normal(2, 4, 5), normal(2, 4, 3)
    squares = [
        (cosine(mine[i], mine[j]) - cosine(theirs[i], theirs[j])) ** 2
        for mine, theirs in zip(student, teacher, strict=True)
        for i in range(4)
        for j in range(4)
    ]

    assert gram_loss(student, teacher).item() == pytest.approx(sum(squares) / len(squares))


def test_its_gradient_goes_to_the_student_alone(normal):
    teacher = normal(1, 3, 4).requires_grad_()
    assert torch.autograd.gradcheck(
        lambda student: gram_loss(student, teacher), (normal(1, 3, 4).requires_grad_(),)
    )
    gram_loss(normal(1, 3, 4).requires_grad_(), teacher).backward()
    assert teacher.grad is None


def test_only_how_patches_are_to_each_other_counts(normal):
    patches, (turn, _) = normal(2, 6, 5), torch.linalg.qr(normal(5, 5))

    assert gram_loss(3 * patches @ turn, patches).item() == pytest.approx(0, abs=1e-12)


def test_it_is_float32_under_autocast(normal):
    student, teacher = normal(1, 4, 8).float(), normal(1, 4, 8).float()
    with torch.autocast("cpu", torch.bfloat16):
        loss = gram_loss(student, teacher)

    assert torch.equal(loss, gram_loss(student, teacher))
    assert loss.dtype == torch.float32


def test_other_places_are_refused(normal):
    with pytest.raises(ValueError, match="want patches of the same pictures and places"):
        gram_loss(normal(2, 4, 5), normal(2, 16, 5))


def test_a_larger_grid_is_read_where_the_smaller_one_has_its_patches():
    """Cubics keep straight lines: each channel rises along one axis."""
    down, across = torch.meshgrid(torch.arange(8.0), torch.arange(12.0), indexing="ij")
    got = resized(torch.stack((down, across), dim=-1).view(1, 96, 2), (8, 12), (4, 6))

    inner = got.view(4, 6, 2)[1:-1, 1:-1]
    want = torch.stack(
        torch.meshgrid(2 * torch.arange(4.0) + 0.5, 2 * torch.arange(6.0) + 0.5, indexing="ij"),
        dim=-1,
    )
    torch.testing.assert_close(inner, want[1:-1, 1:-1])


def test_the_same_grid_stays(normal):
    patches = normal(2, 12, 5)

    torch.testing.assert_close(resized(patches, (3, 4), (3, 4)), patches)
    assert resized(patches.half(), (3, 4), (6, 8)).dtype == torch.float32

"""The centre against its recurrence; what it is moved by counts one call later."""

import pytest
import torch

from operators.pretrain.centre import Centre


def test_it_is_the_recurrence_and_takes_force_one_call_later(normal):
    own, centre = Centre(5).double(), torch.zeros(5).double()
    for _ in range(4):
        scores = normal(8, 5)
        targets = own.targets(scores, 0.07)
        torch.testing.assert_close(targets, ((scores - centre) / 0.07).softmax(dim=1))
        centre = 0.9 * centre + 0.1 * scores.mean(dim=0)
    torch.testing.assert_close(own.centre, centre)


def test_a_teacher_in_evaluation_moves_it_too(normal):
    own = Centre(5, momentum=0.5).eval()
    scores = normal(8, 5).float()
    targets = own.targets(scores.half(), 0.07)

    assert targets.dtype == torch.float32
    torch.testing.assert_close(own.centre, 0.5 * scores.half().float().mean(dim=0))


def test_no_samples_leave_it():
    own = Centre(3)
    own.targets(torch.ones(2, 3), 0.1)
    before = own.centre.clone()

    assert own.targets(torch.zeros(0, 3), 0.1).shape == (0, 3)
    assert torch.equal(own.centre, before)


def test_a_resumed_training_has_it(normal):
    own, resumed = Centre(5), Centre(5)
    own.targets(normal(8, 5).float(), 0.07)
    resumed.load_state_dict(own.state_dict())
    scores = normal(8, 5).float()

    assert list(own.state_dict()) == ["centre"]
    assert torch.equal(resumed.targets(scores, 0.07), own.targets(scores, 0.07))


@pytest.mark.parametrize("sizes", [[7, 3], [10, 0]])
def test_its_mean_is_over_the_samples_of_all_ranks(normal, in_group, sizes):
    scores, alone = normal(10, 5), Centre(5)
    alone.targets(scores, 0.07)

    def moved(part, group):
        own = Centre(5)
        own.targets(part, 0.07, group)
        return own.centre

    for centre in in_group(moved, scores.split(sizes)):
        torch.testing.assert_close(centre, alone.centre)

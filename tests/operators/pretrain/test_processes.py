import pytest
import torch

from operators.errors import UsageError
from operators.pretrain.processes import ALONE, equal_parts


def test_one_process_has_all_of_a_step_and_draws_as_it_is_told():
    draw = torch.Generator().manual_seed(3)
    assert list(range(7))[ALONE.part(7)] == list(range(7))
    assert ALONE.own(draw) is draw
    assert ALONE.agreed(True)
    assert not ALONE.agreed(False)


@pytest.mark.parametrize(("pictures", "count", "each"), [(8, 2, 4), (6, 3, 2), (7, 1, 7)])
def test_parts_are_equal(pictures, count, each):
    assert equal_parts(pictures, count) == each


@pytest.mark.parametrize(("pictures", "count"), [(9, 2), (2, 2), (0, 2)])
def test_others_are_refused(pictures, count):
    with pytest.raises(UsageError, match=f"{pictures} pictures has no equal parts of 2 or more"):
        equal_parts(pictures, count)

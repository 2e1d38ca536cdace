"""Half precision is widened, and float64 is kept."""

import pytest
import torch

from operators.pretrain.precision import at_least_float32


@pytest.mark.parametrize(
    ("given", "want"),
    [
        (torch.float16, torch.float32),
        (torch.bfloat16, torch.float32),
        (torch.float32, torch.float32),
        (torch.float64, torch.float64),
    ],
)
def test_what_is_less_than_float32_becomes_it(given, want):
    assert at_least_float32(torch.ones(2, dtype=given)).dtype == want

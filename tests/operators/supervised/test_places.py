"""Finding a place again, on tokens whose answer is known."""

from __future__ import annotations

import torch

from operators.supervised.places import found_again


def test_a_place_is_found_where_no_other_is_as_similar():
    asked = torch.tensor([[1.0, 0.0], [0.0, 5.0], [1.0, 1.0]])
    gallery = torch.tensor([[2.0, 0.1], [0.0, 0.1], [0.0, 3.0]])

    # The third asks for what looks like the second; the second has its equal in the third.
    assert found_again(asked, gallery).tolist() == [True, False, False]


def test_length_says_nothing():
    tokens = torch.randn(20, 8, generator=torch.Generator().manual_seed(0))
    lengths = torch.linspace(0.1, 50, 20)[:, None]

    assert found_again(tokens, tokens * lengths).all()

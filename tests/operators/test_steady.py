"""Products do not depend on the number of threads."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import torch
from torch import Tensor

from operators.steady import steady_linear, steady_mv


@pytest.fixture
def on_threads() -> Iterator[Callable[[Callable[[], Tensor]], list[Tensor]]]:
    """What a function gives on 1, 2, 4 and 8 threads."""
    before = torch.get_num_threads()

    def ran(function: Callable[[], Tensor]) -> list[Tensor]:
        results = []
        for threads in (1, 2, 4, 8):
            torch.set_num_threads(threads)
            results.append(function())
        return results

    yield ran
    torch.set_num_threads(before)


def drawn(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(sum(shape)))


@pytest.mark.parametrize("rows", [1, 16, 256])
@pytest.mark.parametrize("columns", [21, 150, 256])
@pytest.mark.parametrize("terms", [384, 1536, 6144])
def test_rows_by_matrix(
    on_threads: Callable[[Callable[[], Tensor]], list[Tensor]],
    rows: int,
    columns: int,
    terms: int,
) -> None:
    a, weight, bias = drawn(rows, terms), drawn(columns, terms), drawn(columns)
    first, *others = on_threads(lambda: steady_linear(a, weight, bias))
    assert all(torch.equal(first, other) for other in others)
    want = a.double() @ weight.double().T + bias.double()
    torch.testing.assert_close(first.double(), want, rtol=1e-5, atol=2e-6 * terms**0.5 * 10)


@pytest.mark.parametrize("columns", [2, 10, 700])
@pytest.mark.parametrize("terms", [192, 1536, 12_288])
def test_matrix_by_vector(
    on_threads: Callable[[Callable[[], Tensor]], list[Tensor]], columns: int, terms: int
) -> None:
    weight, vector = drawn(columns, terms), drawn(terms)
    first, *others = on_threads(lambda: steady_mv(weight, vector))
    assert all(torch.equal(first, other) for other in others)
    torch.testing.assert_close(
        first.double(), weight.double() @ vector.double(), rtol=1e-5, atol=2e-5 * terms**0.5
    )

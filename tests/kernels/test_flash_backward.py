"""Both passes of attention's gradient in triton's interpreter, held to differentiation in float64.

bfloat16 is left to the GPU: the interpreter multiplies raw 16-bit integers.
"""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import pytest

from kernels.backward_tiles import KEY_PASS, QUERY_PASS, select_backward_tiles
from kernels.tiles import Tile

Interpret = Callable[..., dict[str, Any]]
# Of the result as in the forward pass; of a gradient relative to its length, see the child.
TOLERANCE = {"float32": 1e-6, "float16": 1e-3}


def assert_correct(answer: dict[str, Any], dtype: str) -> None:
    assert answer["unwritten"] == 0
    assert answer["dtype"] == f"torch.{dtype}"
    assert answer["out"] <= TOLERANCE[dtype]
    assert max(answer["errors"].values()) <= TOLERANCE[dtype]


def tiles(queries: Tile, keys: Tile | None = None) -> dict[str, Any]:
    return {"queries": asdict(queries), "keys": asdict(keys or queries)}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("n_tokens", "dtype"),
    [
        *((n_tokens, "float32") for n_tokens in (1, 16, 17, 50, 257, 261)),
        *((n_tokens, "float16") for n_tokens in (1, 17, 257, 261)),
    ],
)
def test_equals_differentiation(interpret_gradient: Interpret, dtype: str, n_tokens: int) -> None:
    # float32 in the tiles of 16 bits: there it shows the arithmetic free of rounding.
    selected = select_backward_tiles(90, n_tokens, 2)
    case = {"lengths": [n_tokens], "n_heads": 1, "dtype": dtype}
    answer = interpret_gradient("gradient", tiles=tiles(selected.queries, selected.keys), **case)
    assert_correct(answer, dtype)


@pytest.mark.parametrize("n_tokens", [1, 15, 16, 17, 31, 32, 33, 48, 49, 63, 64, 65, 80, 81])
def test_every_edge_of_a_block(interpret_gradient: Interpret, n_tokens: int) -> None:
    small = tiles(Tile(32, 32, 4, 1, query_tail=True), Tile(32, 64, 4, 1))
    case = {"lengths": [n_tokens], "n_heads": 1, "dtype": "float32"}
    assert_correct(interpret_gradient("gradient", tiles=small, **case), "float32")


@pytest.mark.parametrize("n_heads", [1, 3, 5])
def test_tails_of_more_and_fewer_heads_than_warps(
    interpret_gradient: Interpret, n_heads: int
) -> None:
    with_tails = tiles(Tile(32, 32, 4, 1, query_tail=True))
    case = {"lengths": [37, 37], "n_heads": n_heads, "dtype": "float32"}
    assert_correct(interpret_gradient("gradient", tiles=with_tails, **case), "float32")


@pytest.mark.parametrize("arch", [80, 90])
@pytest.mark.parametrize("dtype", TOLERANCE)
def test_the_tiles_of_every_chip(interpret_gradient: Interpret, arch: int, dtype: str) -> None:
    case = {"lengths": [69], "n_heads": 2, "dtype": dtype, "arch": arch}
    assert_correct(interpret_gradient("gradient", **case), dtype)


def test_heads_of_32_numbers(interpret_gradient: Interpret) -> None:
    case = {"lengths": [69, 20], "n_heads": 3, "dtype": "float16", "head_dim": 32}
    assert_correct(interpret_gradient("gradient", **case), "float16")


def test_large_scores_do_not_overflow(interpret_gradient: Interpret) -> None:
    # Scores reach 60, so that keys which are not there would weigh 2^80 where they counted.
    case = {"lengths": [41], "n_heads": 1, "dtype": "float32", "scale": 4}
    answer = interpret_gradient("gradient", **case)
    assert answer["unwritten"] == 0
    assert max(answer["errors"].values()) <= 4 * 60 * 2**-24


def test_finite_differences_say_the_same(interpret_gradient: Interpret) -> None:
    answer = interpret_gradient("difference", lengths=[37, 5], n_heads=2, step=1e-2)
    assert answer["told"] == pytest.approx(answer["measured"], rel=1e-3)


def test_what_has_no_tile_is_refused() -> None:
    with pytest.raises(ValueError, match="sm_75; allowed: sm_80 and newer"):
        select_backward_tiles(75, 257, 2)
    with pytest.raises(ValueError, match="8 bytes; allowed: 2 or 4"):
        select_backward_tiles(90, 257, 8)


@pytest.mark.parametrize("table", [QUERY_PASS, KEY_PASS])
def test_every_row_is_reached(table: tuple[Any, ...]) -> None:
    for row in table:
        selected = select_backward_tiles(row.arch, row.max_tokens or 10_000, row.element_bytes)
        assert row.tile in (selected.queries, selected.keys)
        assert row.tile.schedule == "alternating"

"""The Triton kernel itself, in triton's interpreter on the CPU (float32 and float16).

bfloat16 is left to the GPU tests: the interpreter multiplies raw 16-bit integers
(triton-lang/triton issue 11584).
"""

import random
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import pytest

from kernels.tiles import TILE_TABLE, Tile, select_tile

Interpret = Callable[..., dict[str, Any]]
TOLERANCE = {"float32": 1e-6, "float16": 1e-3}
TILES = sorted({(row.element_bytes, row.tile) for row in TILE_TABLE}, key=str)
ODD_TOKENS = range(1, 301, 2)
# Another eight each day; the slow walk below takes them all.
SAMPLE = sorted(random.Random(datetime.now(UTC).toordinal()).sample(ODD_TOKENS, 8))


def edges(tile: Tile) -> list[int]:
    """Where a tile's blocks and tails begin and end."""
    q, kv = tile.block_q, tile.block_kv
    around = {q, q + 16, kv, kv + 16, kv + 32, kv + 48, 2 * q, 2 * q + 16}
    return sorted({n + step for n in around for step in (-1, 0, 1)})


def assert_correct(answer: dict[str, Any], shape: list[int], dtype: str) -> None:
    n_batch, n_tokens, n_heads = shape
    assert answer["shape"] == [n_batch, n_tokens, n_heads * 64]
    assert answer["dtype"] == f"torch.{dtype}"
    assert answer["unwritten"] == 0
    assert answer["max_abs_error"] <= TOLERANCE[dtype]


@pytest.mark.parametrize(
    ("n_tokens", "n_heads"),
    [*((n_tokens, heads) for n_tokens in (1, 16, 65, 257, 261) for heads in (1, 2)), (1374, 1)],
)
@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_equals_the_reference(
    interpret: Interpret, dtype: str, n_tokens: int, n_heads: int
) -> None:
    shape = [1, n_tokens, n_heads]
    # float32 in the tiles of 16 bits too: there it shows the arithmetic free of rounding.
    tile = asdict(select_tile(90, n_tokens, 2))
    assert_correct(interpret("kernel", tile=tile, shape=shape, dtype=dtype), shape, dtype)


@pytest.mark.parametrize("n_tokens", SAMPLE)
@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_odd_numbers_of_tokens_of_the_day(interpret: Interpret, dtype: str, n_tokens: int) -> None:
    answer = interpret("operator", shape=[1, n_tokens, 1], dtype=dtype)
    assert_correct(answer, [1, n_tokens, 1], dtype)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arch", "dtype", "numbers"),
    [(80, "float32", ODD_TOKENS[::2]), (90, "float16", ODD_TOKENS[1::2])],
    ids=["sm_80-float32", "sm_90-float16"],
)
def test_every_odd_number_of_tokens(
    interpret: Interpret, arch: int, dtype: str, numbers: range
) -> None:
    for n_tokens in numbers:
        tile = asdict(select_tile(arch, n_tokens, 2))
        answer = interpret("kernel", tile=tile, shape=[1, n_tokens, 1], dtype=dtype)
        assert_correct(answer, [1, n_tokens, 1], dtype)


@pytest.mark.parametrize(("element_bytes", "tile"), TILES)
def test_every_tile_of_the_table_at_its_edges(
    interpret: Interpret, element_bytes: int, tile: Tile
) -> None:
    dtype = "float32" if element_bytes == 4 else "float16"
    for n_tokens in edges(tile):
        answer = interpret("kernel", tile=asdict(tile), shape=[1, n_tokens, 1], dtype=dtype)
        assert_correct(answer, [1, n_tokens, 1], dtype)


@pytest.mark.parametrize("n_heads", [1, 3, 5])
def test_query_tails_of_more_and_fewer_heads_than_warps(interpret: Interpret, n_heads: int) -> None:
    tile = asdict(Tile(32, 32, 4, 2, query_tail=True))
    shape = [2, 37, n_heads]
    answer = interpret("kernel", tile=tile, shape=shape, dtype="float32")
    assert_correct(answer, shape, "float32")


@pytest.mark.parametrize("seed", range(10))
def test_any_draw_in_any_strides(interpret: Interpret, seed: int) -> None:
    n_tokens = random.Random(seed).choice([65, 97, 130, 257, 261])
    for dtype in ("float32", "float16"):
        shape = [2, n_tokens, 2]
        answer = interpret("operator", shape=shape, dtype=dtype, seed=seed, layout="random")
        assert_correct(answer, shape, dtype)


@pytest.mark.parametrize(
    "layout",
    [
        "tokens_inside_a_longer_sequence",
        "heads_among_more_heads",
        "channels_among_more_channels",
        "heads_before_tokens",
        "tokens_before_images",
        "every_second_channel",
    ],
)
def test_any_strides(interpret: Interpret, layout: str) -> None:
    for dtype in ("float16", "float32"):
        answer = interpret("operator", shape=[2, 77, 2], dtype=dtype, layout=layout)
        assert_correct(answer, [2, 77, 2], dtype)


def test_large_scores_do_not_overflow(interpret: Interpret) -> None:
    # Scores reach 60: float32 exponentials of them carry an error of about 60 * 2^-24.
    answer = interpret("operator", shape=[1, 97, 1], dtype="float32", scale=4)
    assert answer["unwritten"] == 0
    assert answer["max_abs_error"] <= 4 * 60 * 2**-24 * 4


@pytest.mark.parametrize("n_tokens", [33, 69])  # 69: images share programs of query tails
def test_batch_mates_change_no_bit(interpret: Interpret, n_tokens: int) -> None:
    assert interpret("batch_mates", shape=[4, n_tokens, 3], dtype="float16")["equal"]


def test_compiles_into_one_graph(interpret: Interpret) -> None:
    answer = interpret("compiled", shape=[2, 17, 2], dtype="float32")
    assert_correct(answer, [2, 17, 2], "float32")


def test_keeps_the_rules_of_a_torch_operator(interpret: Interpret) -> None:
    outcome = interpret("opcheck", shape=[1, 17, 1], dtype="float32")
    assert set(outcome.values()) == {"SUCCESS"}


def test_backward_is_refused_rather_than_cut(interpret: Interpret) -> None:
    answer = interpret("backward", shape=[1, 16, 1], dtype="float32")
    assert "no autograd formula" in answer["refused"]

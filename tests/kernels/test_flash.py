"""The Triton kernel itself, in triton's interpreter on the CPU (float32 and float16).

bfloat16 is left to the GPU tests: the interpreter multiplies raw 16-bit integers
(triton-lang/triton issue 11584).
"""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import pytest

from kernels.tiles import TILE_TABLE, Tile, select_tile

Interpret = Callable[..., dict[str, Any]]
TOLERANCE = {"float32": 1e-6, "float16": 1e-3}
# As the interpreter tells them apart: it knows nothing of warps, stages and registers.
TILES = {
    (row.element_bytes, row.tile.block_q, row.tile.block_kv, row.tile.query_tail): row.tile
    for row in TILE_TABLE
}
# Before and behind one block of the smaller tile every number of keys and queries left over;
# the larger one's block of keys is as long, so that only its queries are new.
ODD_TOKENS = {80: range(1, 130, 2), 90: range(131, 194, 10)}


def key_edges(block_kv: int) -> list[int]:
    """Around a block of keys, and around every width of the tail behind it."""
    ends = range(block_kv, 2 * block_kv, 16)
    return [end + step for end in ends for step in (-1, 0, 1)]


def query_edges(block_q: int) -> list[int]:
    """Around a block of queries, around a query tail's end, and a tail behind two blocks."""
    return [block_q - 1, block_q, block_q + 1, block_q + 16, block_q + 17, 2 * block_q + 1]


def assert_correct(
    answer: dict[str, Any], shape: list[int], dtype: str, *, head_dim: int = 64
) -> None:
    n_batch, n_tokens, n_heads = shape
    assert answer["shape"] == [n_batch, n_tokens, n_heads * head_dim]
    assert answer["dtype"] == f"torch.{dtype}"
    assert answer["unwritten"] == 0
    assert answer["max_abs_error"] <= TOLERANCE[dtype]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("n_tokens", "n_heads", "dtype"),
    [
        (1, 1, "float32"),
        (16, 2, "float32"),
        (65, 2, "float16"),
        (257, 2, "float32"),
        (257, 1, "float16"),
        (261, 1, "float32"),
        (449, 1, "float16"),
    ],
)
def test_equals_the_reference(
    interpret: Interpret, dtype: str, n_tokens: int, n_heads: int
) -> None:
    shape = [1, n_tokens, n_heads]
    # float32 in the tiles of 16 bits too: there it shows the arithmetic free of rounding.
    tile = asdict(select_tile(90, n_tokens, 2))
    assert_correct(interpret("kernel", tile=tile, shape=shape, dtype=dtype), shape, dtype)


@pytest.mark.slow
@pytest.mark.parametrize(("arch", "dtype"), [(80, "float32"), (90, "float16")])
def test_odd_numbers_of_tokens(interpret: Interpret, arch: int, dtype: str) -> None:
    for n_tokens in ODD_TOKENS[arch]:
        tile = asdict(select_tile(arch, n_tokens, 2))
        answer = interpret("kernel", tile=tile, shape=[1, n_tokens, 1], dtype=dtype)
        assert_correct(answer, [1, n_tokens, 1], dtype)


@pytest.mark.parametrize("block_kv", sorted({row.tile.block_kv for row in TILE_TABLE}))
def test_every_block_of_keys_at_its_edges(interpret: Interpret, block_kv: int) -> None:
    tile = asdict(Tile(64, block_kv, 4, 2))
    for n_tokens in key_edges(block_kv):
        answer = interpret("kernel", tile=tile, shape=[1, n_tokens, 1], dtype="float32")
        assert_correct(answer, [1, n_tokens, 1], "float32")


@pytest.mark.slow
@pytest.mark.parametrize("kind", TILES, ids=str)
def test_every_tile_of_the_table_at_the_edges_of_its_queries(
    interpret: Interpret, kind: tuple[int, int, int, bool]
) -> None:
    tile, dtype = TILES[kind], "float32" if kind[0] == 4 else "float16"
    for n_tokens in query_edges(tile.block_q):
        answer = interpret("kernel", tile=asdict(tile), shape=[1, n_tokens, 1], dtype=dtype)
        assert_correct(answer, [1, n_tokens, 1], dtype)


@pytest.mark.slow
@pytest.mark.parametrize("dtype", TOLERANCE)
def test_heads_of_32_numbers(interpret: Interpret, dtype: str) -> None:
    """Full blocks, a tail of keys and query tails, as with 64."""
    case = {"shape": [2, 69, 3], "dtype": dtype, "head_dim": 32}
    assert_correct(interpret("operator", **case), [2, 69, 3], dtype, head_dim=32)


@pytest.mark.parametrize("head_dim", [16, 80, 128])
def test_other_heads_are_refused(interpret: Interpret, head_dim: int) -> None:
    answer = interpret("refusal", shape=[1, 16, 1], dtype="float16", head_dim=head_dim)
    assert answer["refused"] == f"heads have {head_dim} numbers; allowed: 32 or 64"


@pytest.mark.parametrize("n_heads", [1, 3, 5])
def test_query_tails_of_more_and_fewer_heads_than_warps(interpret: Interpret, n_heads: int) -> None:
    tile = asdict(Tile(32, 32, 4, 2, query_tail=True))
    shape = [2, 37, n_heads]
    answer = interpret("kernel", tile=tile, shape=shape, dtype="float32")
    assert_correct(answer, shape, "float32")


@pytest.mark.parametrize(("seed", "n_tokens"), [(0, 65), (1, 81), (2, 97), (3, 130)])
def test_any_draw_in_any_strides(interpret: Interpret, seed: int, n_tokens: int) -> None:
    shape = [2, n_tokens, 2]
    answer = interpret("operator", shape=shape, dtype="float16", seed=seed, layout="random")
    assert_correct(answer, shape, "float16")


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
    answer = interpret("operator", shape=[2, 77, 2], dtype="float16", layout=layout)
    assert_correct(answer, [2, 77, 2], "float16")


def test_large_scores_do_not_overflow(interpret: Interpret) -> None:
    # Scores reach 60: float32 exponentials of them carry an error of about 60 * 2^-24.
    answer = interpret("operator", shape=[1, 97, 1], dtype="float32", scale=4)
    assert answer["unwritten"] == 0
    assert answer["max_abs_error"] <= 4 * 60 * 2**-24 * 4


@pytest.mark.parametrize("n_tokens", [33, 69])  # 69: images share programs of query tails
def test_batch_mates_change_no_bit(interpret: Interpret, n_tokens: int) -> None:
    assert interpret("batch_mates", shape=[3, n_tokens, 2], dtype="float16")["equal"]


@pytest.mark.slow
def test_compiles_into_one_graph(interpret: Interpret) -> None:
    answer = interpret("compiled", shape=[2, 17, 2], dtype="float32")
    assert_correct(answer, [2, 17, 2], "float32")


def test_keeps_the_rules_of_a_torch_operator(interpret: Interpret) -> None:
    outcome = interpret("opcheck", shape=[1, 17, 1], dtype="float32")
    assert set(outcome.values()) == {"SUCCESS"}


def test_backward_is_refused_rather_than_cut(interpret: Interpret) -> None:
    answer = interpret("backward", shape=[1, 16, 1], dtype="float32")
    assert "no autograd formula" in answer["refused"]

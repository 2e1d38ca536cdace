"""Which tiles the two passes of attention's gradient work in: static tables, no autotuning.

In: architecture, number of tokens, bytes per element. Out: `BackwardTiles`. In these tiles
`block_q` are the rows that a program owns and `block_kv` those that pass by: queries and keys in
the pass of queries, keys and queries in that of keys. Must not know torch or triton.
"""

from dataclasses import dataclass

from .tiles import Tile, TileRow, select_tile


@dataclass(frozen=True, slots=True)
class BackwardTiles:
    """What one program of each pass works on."""

    queries: Tile
    keys: Tile


# 162 registers a thread let three blocks of 64 queries share a multiprocessor of sm_90; 128 queries
# in 8 warps want 168, and one block then has it for itself. Two blocks of 64 keys share it. On
# sm_80 64 x 64 of keys spill 160 bytes; of queries, in two stages, 12 on sm_100. float32 runs on
# the FMA units, where a thread holds whole rows of both sides: more than one score a thread spills.
# Figures: docs/attention-backward.md.
QUERY_PASS: tuple[TileRow, ...] = (
    TileRow(90, 2, None, Tile(64, 64, num_warps=4, num_stages=2, query_tail=True)),
    TileRow(90, 4, None, Tile(16, 16, num_warps=8, num_stages=1)),
    TileRow(80, 2, None, Tile(64, 64, num_warps=4, num_stages=3, query_tail=True)),
    TileRow(80, 4, None, Tile(16, 16, num_warps=8, num_stages=1)),
)
KEY_PASS: tuple[TileRow, ...] = (
    TileRow(90, 2, None, Tile(64, 64, num_warps=4, num_stages=2, query_tail=True)),
    TileRow(90, 4, None, Tile(16, 16, num_warps=8, num_stages=1)),
    TileRow(80, 2, None, Tile(64, 32, num_warps=4, num_stages=2, query_tail=True)),
    TileRow(80, 4, None, Tile(16, 16, num_warps=8, num_stages=1)),
)
TABLES = {"queries": QUERY_PASS, "keys": KEY_PASS}


def select_backward_tiles(arch: int, n_tokens: int, element_bytes: int) -> BackwardTiles:
    """Look up the tiles for a sequence; they depend on nothing else.

    Args:
        arch: 10 x major + minor compute capability, 80 or more; all but sm_90 take sm_80's rows.
        n_tokens: N, 1 or more.
        element_bytes: 2 (float16, bfloat16) or 4 (float32).

    Returns:
        A tile for each pass.

    Raises:
        ValueError: for an older architecture or another element size.
    """
    queries, keys = (
        select_tile(arch, n_tokens, element_bytes, table) for table in (QUERY_PASS, KEY_PASS)
    )
    return BackwardTiles(queries, keys)

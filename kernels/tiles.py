"""Which tile the flash kernel works in: a static table, no autotuning.

In: architecture, number of tokens, bytes per element. Out: a `Tile`, the width of the KV tail.
Must not know torch or triton, nor the batch: a batch mate must never change a result.
"""

from dataclasses import dataclass

HEAD_DIM = 64
"""K of every DINOv2 model; the kernel and its tiles are made for it alone."""

MIN_ARCH = 80
"""Oldest architecture the kernel is compiled for (10 x major + minor compute capability)."""

MIN_DOT = 16
"""Shortest inner dimension of a 16-bit tensor-core product, so the narrowest KV tail."""


@dataclass(frozen=True, slots=True)
class Tile:
    """Shape of one program's work: `block_q` queries against `block_kv` keys at a time."""

    block_q: int
    block_kv: int
    num_warps: int
    num_stages: int

    def __post_init__(self) -> None:
        for name in ("block_q", "block_kv"):
            block = getattr(self, name)
            if block < MIN_DOT or block & (block - 1):
                raise ValueError(f"{name} is {block}; allowed: powers of two from {MIN_DOT}")
        if self.num_warps not in (1, 2, 4, 8, 16):
            raise ValueError(f"num_warps is {self.num_warps}; allowed: 1, 2, 4, 8, 16")
        if self.num_stages < 1:
            raise ValueError(f"num_stages is {self.num_stages}; allowed: 1 and more")


@dataclass(frozen=True, slots=True)
class TileRow:
    """One row of the table: the tile for this architecture and element size up to `max_tokens`."""

    arch: int
    element_bytes: int
    max_tokens: int | None
    tile: Tile


# Below 512 tokens 64 query rows waste less than 128 (N=257: 320 rows against 384) and give the
# grid more programs; above, 128 rows halve the reads of K and V. 128x64 with 4 warps has 255
# registers on sm_80 and spills on sm_86, so 8 warps. float32 has no exact tensor-core product and
# runs on the FMA units, where 64x64 spills, and 32x32 with 4 warps too. Figures: docs/attention.md.
TILE_TABLE: tuple[TileRow, ...] = (
    TileRow(90, 2, 512, Tile(64, 64, num_warps=4, num_stages=2)),
    TileRow(90, 2, None, Tile(128, 64, num_warps=8, num_stages=3)),
    TileRow(90, 4, None, Tile(32, 32, num_warps=8, num_stages=2)),
    TileRow(80, 2, 512, Tile(64, 64, num_warps=4, num_stages=3)),
    TileRow(80, 2, None, Tile(128, 64, num_warps=8, num_stages=3)),
    TileRow(80, 4, None, Tile(32, 32, num_warps=8, num_stages=2)),
)


def select_tile(arch: int, n_tokens: int, element_bytes: int) -> Tile:
    """Look up the tile for a sequence.

    Every architecture but sm_90 takes the sm_80 rows: they fit the 99 KiB of shared memory of the
    smaller Ampere, Ada and Blackwell chips.

    Args:
        arch: 10 x major + minor compute capability, 80 or more.
        n_tokens: N, 1 or more.
        element_bytes: 2 (float16, bfloat16) or 4 (float32).

    Returns:
        The tile; it depends on nothing else.

    Raises:
        ValueError: for an older architecture or another element size.
    """
    if arch < MIN_ARCH:
        raise ValueError(f"architecture is sm_{arch}; allowed: sm_{MIN_ARCH} and newer")
    table_arch = 90 if arch == 90 else 80
    for row in TILE_TABLE:
        fits = row.max_tokens is None or n_tokens <= row.max_tokens
        if row.arch == table_arch and row.element_bytes == element_bytes and fits:
            return row.tile
    raise ValueError(f"elements have {element_bytes} bytes; allowed: 2 or 4")


def tail_width(n_tokens: int, block_kv: int) -> int:
    """Width of the last, masked KV block: the keys that full blocks leave over, rounded up.

    257 and 261 tokens leave 1 and 5 keys: a tail of 16 in place of a whole block of 64.

    Args:
        n_tokens: N, 1 or more.
        block_kv: keys per full block.

    Returns:
        0 when nothing is left over, else a power of two from 16 to `block_kv`.
    """
    left_over = n_tokens % block_kv
    if left_over == 0:
        return 0
    return max(MIN_DOT, 1 << (left_over - 1).bit_length())

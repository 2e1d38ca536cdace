"""Which tile the flash kernel works in: a static table, no autotuning.

In: architecture, number of tokens, bytes per element. Out: a `Tile`; what of the kernel is to be
compiled for it, a `Variant`. Must not know torch or triton, nor the batch: a batch mate must
never change a result.
"""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

HEAD_DIMS = (32, 64)
"""K that the kernel serves: powers of two, and 128 spills in these tiles. DINOv2 has 64."""

MIN_ARCH = 80
"""Oldest architecture the kernel is compiled for (10 x major + minor compute capability)."""

LOG2_E = math.log2(math.e)
"""Every kernel counts exponentials in powers of two: exp(x) = exp2(LOG2_E x)."""

MIN_DOT = 16
"""Shortest side of a 16-bit tensor-core product, so the narrowest tail of keys or queries."""


Schedule = Literal["alternating", "overlapped", "whole_row", "specialised"]
"""In which order products and softmax run: docs/decisions/attention-schedules.md. The first is
Triton's kernel; the others are Gluon's, for sm_90 and 16-bit elements."""


@dataclass(frozen=True, slots=True)
class Tile:
    """Shape of one program's work: `block_q` queries against `block_kv` keys at a time.

    `query_tail`: up to 16 queries that full blocks leave over are computed a head per warp, in
    programs of their own, instead of in one more block. `max_registers` caps those of a thread.
    `schedule` is that of blocks; a query tail, and fewer keys than a block, stay Triton's. A whole
    row is `block_kv` keys at most and a tail; its `num_stages` are those of query tails.
    `num_warps` are those that compute; a specialised schedule has four more that copy.
    """

    block_q: int
    block_kv: int
    num_warps: int
    num_stages: int
    query_tail: bool = False
    max_registers: int | None = None
    schedule: Schedule = "alternating"

    def __post_init__(self) -> None:
        for name in ("block_q", "block_kv"):
            block = getattr(self, name)
            if block < MIN_DOT or block & (block - 1):
                raise ValueError(f"{name} is {block}; allowed: powers of two from {MIN_DOT}")
        if self.num_warps not in (1, 2, 4, 8, 16):
            raise ValueError(f"num_warps is {self.num_warps}; allowed: 1, 2, 4, 8, 16")
        if self.num_stages < 1:
            raise ValueError(f"num_stages is {self.num_stages}; allowed: 1 and more")
        if self.schedule not in get_args(Schedule):
            allowed = ", ".join(get_args(Schedule))
            raise ValueError(f"schedule is {self.schedule}; allowed: {allowed}")
        if self.schedule == "specialised" and (self.block_q, self.num_warps) != (128, 8):
            raise ValueError(
                f"a specialised tile has block_q={self.block_q} and num_warps={self.num_warps}; "
                "allowed: 128 and 8, two groups of four warps with 64 queries each"
            )

    @property
    def max_tokens(self) -> int | None:
        """Longest sequence that the schedule serves; None for any."""
        return self.block_kv + MIN_DOT if self.schedule == "whole_row" else None

    def serves(self, n_tokens: int) -> bool:
        """Whether the schedule is made for sequences of this length."""
        return self.max_tokens is None or n_tokens <= self.max_tokens

    @property
    def alternating(self) -> "Tile":
        """The tile that Triton's kernel computes in its place, where 256 keys at once spill."""
        block_kv = min(self.block_kv, 64) if self.schedule == "whole_row" else self.block_kv
        return replace(self, schedule="alternating", block_kv=block_kv)


@dataclass(frozen=True, slots=True)
class TileRow:
    """One row of the table: the tile for this architecture and element size up to `max_tokens`."""

    arch: int
    element_bytes: int
    max_tokens: int | None
    tile: Tile

    def __post_init__(self) -> None:
        check_schedule(self.tile, self.arch, self.element_bytes)
        longest = self.tile.max_tokens
        if longest is not None and (self.max_tokens is None or self.max_tokens > longest):
            raise ValueError(
                f"max_tokens is {self.max_tokens}; allowed: up to {longest} by {self.tile}"
            )


def check_schedule(tile: Tile, arch: int, element_bytes: int) -> None:
    """Refuse a tile whose schedule is not made for a chip or an element size.

    Args:
        tile: any.
        arch: 10 x major + minor compute capability.
        element_bytes: 2 (float16, bfloat16) or 4 (float32).

    Raises:
        ValueError: for Gluon's schedules anywhere but on sm_90 with 2 bytes.
    """
    if tile.schedule != "alternating" and (arch, element_bytes) != (90, 2):
        raise ValueError(
            f"schedule is {tile.schedule} on sm_{arch} with elements of {element_bytes} bytes; "
            "allowed: sm_90 with 2 bytes, or the schedule alternating"
        )


@dataclass(frozen=True, slots=True)
class Variant:
    """What is compiled: a tile, and which parts of the kernel a number of tokens needs.

    `head_dim` is K, one of `HEAD_DIMS`; `tail` is the width of the masked tail of keys, 0 for none;
    `full` says whether there are full blocks of keys before it; `tail_heads` is how many heads'
    query tails one program computes, 0 where the last queries get a block like all others.
    """

    tile: Tile
    head_dim: int
    tail: int
    full: bool
    tail_heads: int

    def __post_init__(self) -> None:
        if self.head_dim not in HEAD_DIMS:
            raise ValueError(
                f"heads have {self.head_dim} numbers; allowed: {' or '.join(map(str, HEAD_DIMS))}"
            )

    @property
    def in_gluon(self) -> bool:
        """Whether the blocks are computed by one of Gluon's kernels."""
        return self.tile.schedule != "alternating" and self.full

    @property
    def constants(self) -> dict[str, int]:
        """The kernel's compile-time arguments."""
        return {
            "D": self.head_dim,
            "BM": self.tile.block_q,
            "BN": self.tile.block_kv,
            "TAIL": self.tail,
            "FULL": self.full,
            "TAIL_HEADS": self.tail_heads,
        }

    @property
    def options(self) -> dict[str, int | None]:
        """The kernel's compiler options."""
        return {
            "num_warps": self.tile.num_warps,
            "num_stages": self.tile.num_stages,
            "maxnreg": self.tile.max_registers,
            "enable_fp_fusion": True,
        }

    def n_programs(self, n_heads: int, n_tokens: int) -> int:
        """How many programs a launch has.

        Args:
            n_heads: heads of all images, B x A.
            n_tokens: N.

        Returns:
            Programs of query tails, which come first, and of blocks.
        """
        return self.n_tail_programs(n_heads) + n_heads * self.n_blocks(n_tokens)

    def n_tail_programs(self, n_heads: int) -> int:
        """How many of them compute query tails, of B x A heads."""
        return -(-n_heads // self.tail_heads) if self.tail_heads else 0

    def n_blocks(self, n_tokens: int) -> int:
        """Blocks of queries of one head: whole ones only where the rest is a query tail."""
        whole, left_over = divmod(n_tokens, self.tile.block_q)
        return whole if self.tail_heads or not left_over else whole + 1


# 128 query rows halve the reads of K and V from the L2 cache, which bind 64 rows on sm_90; with at
# most 128 registers a thread two such blocks share a multiprocessor. Up to 128 tokens there is
# little to share, and 64 rows waste less. On sm_80 64 rows fit twice where 128 fit once. Query
# tails beside 128x64 spill 16 bytes on sm_100, and above 512 tokens save little. 128x64 with 4
# warps spills on sm_86. float32 has no exact tensor-core product and runs on the FMA units, where
# 64x64 spills, and 32x32 with 4 warps too. Figures: docs/attention.md, benchmarks/LOG.md.
TILE_TABLE: tuple[TileRow, ...] = (
    TileRow(90, 2, 128, Tile(64, 64, num_warps=4, num_stages=3, query_tail=True)),
    TileRow(
        90, 2, None, Tile(128, 64, num_warps=8, num_stages=3, query_tail=True, max_registers=128)
    ),
    TileRow(90, 4, None, Tile(32, 32, num_warps=8, num_stages=2)),
    TileRow(80, 2, 512, Tile(64, 64, num_warps=4, num_stages=3, query_tail=True)),
    TileRow(80, 2, None, Tile(128, 64, num_warps=8, num_stages=3)),
    TileRow(80, 4, None, Tile(32, 32, num_warps=8, num_stages=2)),
)


def select_tile(
    arch: int, n_tokens: int, element_bytes: int, table: Sequence[TileRow] = TILE_TABLE
) -> Tile:
    """Look up the tile for a sequence.

    Every architecture but sm_90 takes the sm_80 rows: they fit the 99 KiB of shared memory of the
    smaller Ampere, Ada and Blackwell chips.

    Args:
        arch: 10 x major + minor compute capability, 80 or more.
        n_tokens: N, 1 or more.
        element_bytes: 2 (float16, bfloat16) or 4 (float32).
        table: of the kernel; the forward pass's, where none is given.

    Returns:
        The tile; it depends on nothing else.

    Raises:
        ValueError: for an older architecture or another element size.
    """
    if arch < MIN_ARCH:
        raise ValueError(f"architecture is sm_{arch}; allowed: sm_{MIN_ARCH} and newer")
    for row in _rows(arch, table):
        fits = row.max_tokens is None or n_tokens <= row.max_tokens
        if row.element_bytes == element_bytes and fits:
            return row.tile
    raise ValueError(f"elements have {element_bytes} bytes; allowed: 2 or 4")


def tiles_digest(arch: int) -> str:
    """Six hexadecimal digits of an architecture's rows: another tile adds up in another order.

    Args:
        arch: 10 x major + minor compute capability.
    """
    return hashlib.sha256(repr(_rows(arch, TILE_TABLE)).encode()).hexdigest()[:6]


def _rows(arch: int, table: Sequence[TileRow]) -> tuple[TileRow, ...]:
    return tuple(row for row in table if row.arch == (90 if arch == 90 else 80))


def variant_for(n_tokens: int, tile: Tile, head_dim: int) -> Variant:
    """What of the kernel a number of tokens needs in a tile.

    Args:
        n_tokens: N, 1 or more.
        tile: what one program works on.
        head_dim: K.

    Returns:
        The variant. There are few, and most N share one: a new N seldom means a compilation.

    Raises:
        ValueError: for a K that is none of `HEAD_DIMS`, or more tokens than the schedule serves.
    """
    if not tile.serves(n_tokens):
        raise ValueError(f"N is {n_tokens}; allowed: up to {tile.max_tokens} by {tile}")
    if tile.schedule == "whole_row":
        # Its block is the longest power of two whose keys are all there.
        filled = 1 << (n_tokens.bit_length() - 1)
        tile = replace(tile, block_kv=max(MIN_DOT, min(tile.block_kv, filled)))
    left_over = n_tokens % tile.block_q
    has_query_tail = tile.query_tail and n_tokens > left_over and 0 < left_over <= MIN_DOT
    return Variant(
        tile=tile,
        head_dim=head_dim,
        tail=tail_width(n_tokens, tile.block_kv),
        full=n_tokens >= tile.block_kv,
        tail_heads=tile.num_warps if has_query_tail else 0,
    )


def tail_width(n_tokens: int, block_kv: int) -> int:
    """Width of the masked tail of keys: what full blocks leave over, rounded up to 16.

    257 and 261 tokens leave 1 and 5 keys: a tail of 16 in place of a whole block of 64.

    Args:
        n_tokens: N, 1 or more.
        block_kv: keys per full block.

    Returns:
        A multiple of 16 from 0 to `block_kv`.
    """
    return -(-(n_tokens % block_kv) // MIN_DOT) * MIN_DOT

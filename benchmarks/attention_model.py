"""What attention should cost on an H200 by arithmetic: a prediction, never a measurement.

In: a workload, a variant and its compiled report. Out: clocks per head by resource, microseconds
per launch between full overlap and none. docs/attention.md explains it. Needs no GPU.
"""

from dataclasses import dataclass, replace

import torch

from kernels.aot import KernelReport, count
from kernels.bench.attention_gate import HEAD_DIM
from kernels.flash_variants import flash_report
from kernels.tiles import MIN_DOT, Tile, Variant, variant_for

MULTIPROCESSORS = 132
CLOCK_HZ = 1.755e9
# Per multiprocessor and clock: 989 TFLOP/s dense and 16 exponentials, 4 instructions.
MATRIX_FLOP = 4096
EXPONENTIALS = 16
ISSUED = 4
# Assumed, not verified on this chip: mma.sync at 0.6 of wgmma's rate, and 32 bytes per clock from
# the L2 cache (H100 PCIe reaches about 5.6 TB/s with 114 multiprocessors, so 28).
MMA_SYNC_SHARE = 0.6
L2_BYTES = 32
MEMORY_BYTES = 4.3e12 / MULTIPROCESSORS / CLOCK_HZ
REGISTERS = 65536
SHARED_BYTES = 228 * 1024
ROW_BYTES = 2 * HEAD_DIM


@dataclass(frozen=True, slots=True)
class HeadCost:
    """Clocks of one multiprocessor for one head of one image, by resource."""

    matrix: float
    exponentials: float
    issue: float
    l2: float
    memory: float

    @property
    def overlapped(self) -> float:
        """All resources busy at once: the slowest decides."""
        return max(self.matrix, self.exponentials, self.issue, self.l2, self.memory)

    @property
    def alternating(self) -> float:
        """Products and softmax take turns, memory hides behind both."""
        compute = self.matrix + max(self.exponentials, self.issue)
        return max(compute, self.l2, self.memory)


@dataclass(frozen=True, slots=True)
class Prediction:
    """One tile at one N: the cost of a head, and how many programs a multiprocessor holds."""

    tile: Tile
    n_tokens: int
    head: HeadCost
    resident: int
    spill_bytes: int

    def microseconds(self, n_heads: int, clocks: float) -> float:
        """Time of a launch whose heads cost so many clocks each.

        Args:
            n_heads: heads of all images, B x A.
            clocks: `head.overlapped` or `head.alternating`.

        Returns:
            Microseconds, the busiest multiprocessor's whole programs counted.
        """
        blocks_per_head = -(-self.n_tokens // self.tile.block_q)
        if variant_for(self.n_tokens, self.tile, HEAD_DIM).tail_heads:
            blocks_per_head -= 1
        blocks = n_heads * blocks_per_head
        busiest = -(-blocks // MULTIPROCESSORS) / blocks_per_head
        return 1e6 * busiest * clocks / CLOCK_HZ


def predict(tile: Tile, n_tokens: int, report: KernelReport, plain: KernelReport) -> Prediction:
    """Add up what one head needs.

    Args:
        tile: a 16-bit tile.
        n_tokens: N.
        report: its compiled variant for N.
        plain: the same without query tails; the same report where there are none.

    Returns:
        The prediction.
    """
    variant = variant_for(n_tokens, tile, HEAD_DIM)
    tails = variant.tail_heads > 0
    blocks = n_tokens // tile.block_q if tails else -(-n_tokens // tile.block_q)
    columns = n_tokens // tile.block_kv * tile.block_kv + variant.tail
    scores, tail_scores = blocks * tile.block_q * columns, 0
    issue = blocks * _issued(plain, n_tokens // tile.block_kv) * tile.num_warps / ISSUED
    if tails:
        tail_scores = MIN_DOT * -(-n_tokens // MIN_DOT) * MIN_DOT
        outside = sum(report.opcodes.values()) - sum(plain.opcodes.values())
        loop = min(_loops(report), key=lambda loop: count(loop, "MUFU.EX2"))
        passes = n_tokens // MIN_DOT - 1  # the difference holds one
        issue += (outside + passes * sum(loop.values())) / ISSUED
    flop = 4 * HEAD_DIM
    reads = (blocks + tails) * 2 * n_tokens + n_tokens
    head = HeadCost(
        matrix=flop * (scores + tail_scores / MMA_SYNC_SHARE) / MATRIX_FLOP,
        exponentials=(scores + tail_scores) / EXPONENTIALS,
        issue=issue,
        l2=(reads + n_tokens) * ROW_BYTES / L2_BYTES,
        memory=4 * n_tokens * ROW_BYTES / MEMORY_BYTES,
    )
    return Prediction(tile, n_tokens, head, _resident(variant, report), report.spill_bytes)


def compile_and_predict(tile: Tile, n_tokens: int) -> Prediction:
    """Compile a tile for sm_90 in bfloat16 and predict its cost at N."""
    variant = variant_for(n_tokens, tile, HEAD_DIM)
    report = flash_report(variant, arch=90, dtype=torch.bfloat16)
    plain = replace(variant, tail_heads=0)
    without_tails = flash_report(plain, arch=90, dtype=torch.bfloat16)
    return predict(tile, n_tokens, report, without_tails)


def _loops(report: KernelReport) -> list[dict[str, int]]:
    return [dict(loop) for loop in report.loops if count(loop, "MUFU.EX2")]


def _issued(report: KernelReport, passes: int) -> float:
    loops = _loops(report)
    body = sum(loops[0].values()) if loops else 0
    return sum(report.opcodes.values()) + max(passes - 1, 0) * body


def _resident(variant: Variant, report: KernelReport) -> int:
    by_registers = REGISTERS // (report.registers * 32 * variant.tile.num_warps)
    return min(by_registers, SHARED_BYTES // (report.shared_bytes + 1024))

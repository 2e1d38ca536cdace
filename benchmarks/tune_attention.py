"""Finds the tiles for `kernels/tiles.py`: times candidates on this GPU, writes the table's rows.

    python -m benchmarks.tune_attention --out results/tiles.json

In: a CUDA device. Out: JSON with every figure and the rows as text. Without a CUDA device it only
ranks candidates for an H200 by arithmetic and writes nothing: a prediction is no measurement.
"""

import argparse
import json
import math
import statistics
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from itertools import chain, zip_longest
from pathlib import Path
from typing import Any, get_args

import torch
from torch import Tensor

from benchmarks.attention_model import compile_and_predict
from benchmarks.waves import Field, waves
from kernels.bench.ahead import run_ahead
from kernels.bench.attention_gate import ODD_TOKENS, Case, Launch, check_case, draw, first_fault
from kernels.bench.origin import origin
from kernels.bench.report import keep_report
from kernels.bench.timing import first_line, race, rotation
from kernels.tiles import MIN_DOT, Schedule, Tile, select_tile

Sizes = tuple[tuple[int, int, int], ...]

# A row of the table: its last N, and the sizes that stand for it (batch, tokens, heads).
# The sizes with goals come first: whoever ends the tuner early has those rows.
CLASSES: tuple[tuple[int | None, Sizes], ...] = (
    (None, ((8, 1370, 6), (32, 1370, 12), (16, 1374, 16))),
    (272, ((8, 257, 6), (64, 257, 6), (64, 261, 12))),
    (512, ((64, 449, 6),)),
    (128, ((64, 65, 6),)),
)
# query block, key block, warps, registers; each with 3 and 2 stages, with and without query tails
SHAPES: tuple[tuple[int, int, int, int | None], ...] = (
    (128, 64, 8, 128),
    (128, 128, 8, None),
    (128, 64, 8, None),
    (64, 64, 4, None),
    (64, 128, 4, None),
    (128, 64, 4, None),
    (256, 64, 8, None),
)
# Those of them that Gluon's kernels are tried in: 16 query rows a warp; 64 bind the L2 cache.
GLUON_SHAPES = ((128, 64, 8, None), (128, 128, 8, None))
# query block, most keys of a whole row, warps
WHOLE_ROW_SHAPES = ((64, 256, 4), (128, 256, 8))
WAVE = 8  # as many as compile at once


def candidates(sizes: Sizes) -> list[Tile]:
    """Tiles worth trying for some sizes."""
    return [
        Tile(block_q, block_kv, warps, stages, tail, registers)
        for block_q, block_kv, warps, registers in SHAPES
        for stages in (3, 2)
        for tail in _query_tails(block_q, sizes)
    ]


def gluon_candidates(sizes: Sizes) -> list[Tile]:
    """Tiles worth trying in Gluon's schedules as well, on an sm_90."""
    blocks = [
        replace(tile, schedule=schedule)
        for tile in candidates(sizes)
        if (tile.block_q, tile.block_kv, tile.num_warps, tile.max_registers) in GLUON_SHAPES
        for schedule in ("overlapped", "specialised")
    ]
    whole_rows = [
        Tile(block_q, block_kv, warps, 3, tail, schedule="whole_row")
        for block_q, block_kv, warps in WHOLE_ROW_SHAPES
        for tail in _query_tails(block_q, sizes)
    ]
    served = [tile for tile in whole_rows if all(tile.serves(n) for _, n, _ in sizes)]
    return blocks + served


def _query_tails(block_q: int, sizes: Sizes) -> tuple[bool, ...]:
    left_over = {n_tokens % block_q for _, n_tokens, _ in sizes if n_tokens > block_q}
    return (False, True) if any(0 < rows <= MIN_DOT for rows in left_over) else (False,)


def time_tiles(
    tiles: list[Tile], size: tuple[int, int, int], rounds: int, device: torch.device
) -> dict[Tile, float]:
    """Median microseconds of every tile that is right at a size, in interleaved rounds."""
    from kernels.flash import launch

    first = draw(*size, torch.bfloat16, device)
    others = (draw(*size, torch.bfloat16, device) for _ in range(rotation(first.nbytes) - 1))
    out = first.new_empty(size[0], size[1], size[2] * first.shape[-1])
    launches: dict[Tile, Callable[[Tensor], None]] = {}
    for tile in tiles:
        try:
            if check_case(Case(tile, size[1], 3, torch.bfloat16), device)["passed"]:
                launches[tile] = lambda qkv, tile=tile: launch(qkv, out, tile)
        except Exception as error:
            print(f"left out {tile}: {first_line(error)}")
    found = race(launches, [first, *others], rounds)
    for tile, why in found.absent.items():
        print(f"left out {tile}: {why}")
    return {tile: statistics.median(samples) for tile, samples in found.times_us.items()}


def right_ones(launches: dict[Tile, Launch], device: torch.device) -> list[Tile]:
    """The tiles that agree with the float32 reference at every N of the gate; others are named."""
    right = []
    for tile, launch in launches.items():
        try:
            fault = first_fault(tile, launch, torch.bfloat16, device)
            why = None if fault is None else json.dumps(fault)
        except Exception as error:
            why = first_line(error)
        if why is None:
            right.append(tile)
        else:
            print(f"left out {tile}: {why}")
    return right


def best_of(figures: list[dict[Tile, float]]) -> Tile | None:
    """The tile with the least geometric mean over sizes; None where none ran at all of them."""
    everywhere = set.intersection(*(set(figure) for figure in figures))
    mean = {tile: math.prod(figure[tile] for figure in figures) for tile in everywhere}
    return min(mean, key=mean.__getitem__, default=None)


@dataclass(slots=True)
class TokenClass(Field[Tile]):
    """The tiles that compete for a row of the table.

    Attributes:
        max_tokens: the row's last N.
        sizes: batch, tokens and heads that stand for it.
    """

    max_tokens: int | None = None
    sizes: Sizes = ()


def measure(
    rounds: int, device: torch.device, out: Path, budget_s: float = math.inf
) -> dict[str, Any]:
    """Time all classes in waves; the report, written after each of them."""
    major, minor = torch.cuda.get_device_capability(device)
    arch = 10 * major + minor
    classes = [
        TokenClass(_in_order(arch, sizes), None, max_tokens, sizes) for max_tokens, sizes in CLASSES
    ]
    report: dict[str, Any] = {"origin": origin(device), "figures": [], "rows": []}
    for one, tiles in waves(classes, WAVE, budget_s):
        figures = time_wave(tiles, one.sizes, rounds, device)
        for size, figure in zip(one.sizes, figures, strict=True):
            for tile, median_us in sorted(figure.items(), key=lambda item: item[1]):
                row = {"size": size, "tile": asdict(tile), "median_us": median_us}
                report["figures"].append(row)
                print(f"B, N, A = {size}: {median_us:8.1f} us  {tile}", flush=True)
        one.best = best_of(figures) or one.best
        report |= outcome(arch, classes)
        keep_report(report, out)
    return report


def time_wave(
    tiles: list[Tile], sizes: Sizes, rounds: int, device: torch.device
) -> list[dict[Tile, float]]:
    """Compile tiles, hold them to the reference, and time those that are right, size by size."""
    from kernels.flash import launch

    lengths = dict.fromkeys([*ODD_TOKENS, *(n_tokens for _, n_tokens, _ in sizes)])
    cases = [Case(tile, n, 3, torch.bfloat16) for n in lengths for tile in tiles]
    run_ahead(check_case, [case for case in cases if case.tile.serves(case.n_tokens)])
    tiles = right_ones({tile: partial(launch, tile=tile) for tile in tiles}, device)
    return [time_tiles(tiles, size, rounds, device) for size in sizes]


def outcome(arch: int, classes: Sequence[TokenClass]) -> dict[str, Any]:
    """Rows as the table has them, its shortest first, and what was not reached, by class."""
    table = sorted(classes, key=lambda one: one.max_tokens or math.inf)
    return {
        "rows": [f"TileRow({arch}, 2, {one.max_tokens}, {one.best})," for one in table if one.best],
        "not_reached": {
            f"max_tokens={one.max_tokens}": [f"{tile}" for tile in one.waiting]
            for one in classes
            if one.waiting
        },
        "without": [
            f"max_tokens={one.max_tokens}" for one in classes if not one.best and not one.waiting
        ],
    }


def _in_order(arch: int, sizes: Sizes) -> list[Tile]:
    """What competes: today's tile, then all schedules' in turns, the most promising first."""
    every = candidates(sizes) + (gluon_candidates(sizes) if arch == 90 else [])
    schedules = [[tile for tile in every if tile.schedule == one] for one in get_args(Schedule)]
    in_turns = chain.from_iterable(zip_longest(*schedules))
    today = select_tile(arch, sizes[0][1], 2)
    return list(dict.fromkeys([today, *(tile for tile in in_turns if tile)]))


def rank_by_arithmetic() -> None:
    """Print predictions for an H200 from compiled code."""
    print("PREDICTED for an H200 from compiled code, not measured: do not fill the table by it.")
    for _, sizes in CLASSES:
        # Stages change no figure of the model.
        tiles = [tile for tile in candidates(sizes) if tile.num_stages == 3]
        for size in sizes:
            rank(tiles, size)


def rank(tiles: list[Tile], size: tuple[int, int, int]) -> None:
    """Print what tiles without a spill should cost at a size, the most promising first."""
    n_batch, n_tokens, n_heads = size
    lines = []
    for tile in tiles:
        found = compile_and_predict(tile, n_tokens)
        low, high = (
            found.microseconds(n_batch * n_heads, clocks)
            for clocks in (found.head.overlapped, found.head.alternating)
        )
        line = f"{low:6.1f} to {high:6.1f} us, {found.resident} programs at once  {tile}"
        lines += [(high, low, line)] if found.spill_bytes == 0 else []
    for _, _, line in sorted(lines):
        print(f"B, N, A = {size}: {line}", flush=True)


def main() -> int:
    """Tune, or rank; returns the exit code, 0 only after a measurement that found every row."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--out", type=Path, required=True, help="JSON file to write")
    parser.add_argument("--rounds", type=int, default=30, help="interleaved rounds per size")
    parser.add_argument(
        "--budget-s",
        type=float,
        default=math.inf,
        help="seconds, then it stops with what it has",
    )
    options = parser.parse_args()
    if not torch.cuda.is_available():
        rank_by_arithmetic()
        print("torch sees no CUDA device: nothing was measured, nothing written", file=sys.stderr)
        return 1
    torch.manual_seed(0)
    device = torch.device("cuda", torch.cuda.current_device())
    report = measure(options.rounds, device, options.out, options.budget_s)
    for name in report["without"]:
        print(f"no row for {name}: no tile is right at all of its sizes")
    for name, tiles in report["not_reached"].items():
        print(f"not reached of {name}: {len(tiles)} tiles")
    print("rows for kernels/tiles.py:", *report["rows"], sep="\n")
    return 0 if len(report["rows"]) == len(CLASSES) else 1


if __name__ == "__main__":
    sys.exit(main())

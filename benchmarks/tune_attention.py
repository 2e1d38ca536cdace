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
from collections.abc import Callable
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from benchmarks.attention_model import compile_and_predict
from kernels.bench.ahead import run_ahead
from kernels.bench.attention_gate import ODD_TOKENS, Case, Launch, check_case, draw, first_fault
from kernels.bench.origin import origin
from kernels.bench.report import keep_report
from kernels.bench.timing import first_line, race, rotation
from kernels.tiles import MIN_DOT, Tile, select_tile

# A row of the table: its last N, and the sizes that stand for it (batch, tokens, heads).
# The sizes with goals come first: whoever ends the tuner early has those rows.
CLASSES: tuple[tuple[int | None, tuple[tuple[int, int, int], ...]], ...] = (
    (None, ((8, 1370, 6), (32, 1370, 12), (16, 1374, 16))),
    (272, ((8, 257, 6), (64, 257, 6), (64, 261, 12))),
    (512, ((64, 449, 6),)),
    (128, ((64, 65, 6),)),
)
# query block, key block, warps, registers; each with 2 and 3 stages, with and without query tails
SHAPES: tuple[tuple[int, int, int, int | None], ...] = (
    (64, 64, 4, None),
    (64, 128, 4, None),
    (128, 64, 4, None),
    (128, 64, 8, None),
    (128, 64, 8, 128),
    (128, 128, 8, None),
    (256, 64, 8, None),
)
# Those of them that Gluon's kernels are tried in: 16 query rows a warp; 64 bind the L2 cache.
GLUON_SHAPES = ((128, 64, 8, None), (128, 128, 8, None))
# query block, most keys of a whole row, warps
WHOLE_ROW_SHAPES = ((64, 256, 4), (128, 256, 8))


def candidates(sizes: tuple[tuple[int, int, int], ...]) -> list[Tile]:
    """Tiles worth trying for some sizes."""
    return [
        Tile(block_q, block_kv, warps, stages, tail, registers)
        for block_q, block_kv, warps, registers in SHAPES
        for stages in (2, 3)
        for tail in _query_tails(block_q, sizes)
    ]


def gluon_candidates(sizes: tuple[tuple[int, int, int], ...]) -> list[Tile]:
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


def _query_tails(block_q: int, sizes: tuple[tuple[int, int, int], ...]) -> tuple[bool, ...]:
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


def measure(rounds: int, device: torch.device, out: Path) -> dict[str, Any]:
    """Time all classes; the report, written after each of them."""
    from kernels.flash import launch

    major, minor = torch.cuda.get_device_capability(device)
    report: dict[str, Any] = {"origin": origin(device), "figures": [], "rows": []}
    rows: dict[int | None, str] = {}
    for max_tokens, sizes in CLASSES:
        tiles = list(dict.fromkeys([*candidates(sizes), _current(major, minor, sizes)]))
        tiles += gluon_candidates(sizes) if (major, minor) == (9, 0) else []
        lengths = dict.fromkeys([*ODD_TOKENS, *(n_tokens for _, n_tokens, _ in sizes)])
        cases = [Case(tile, n, 3, torch.bfloat16) for n in lengths for tile in tiles]
        run_ahead(check_case, [case for case in cases if case.tile.serves(case.n_tokens)])
        tiles = right_ones({tile: partial(launch, tile=tile) for tile in tiles}, device)
        figures = [time_tiles(tiles, size, rounds, device) for size in sizes]
        for size, figure in zip(sizes, figures, strict=True):
            for tile, median_us in sorted(figure.items(), key=lambda item: item[1]):
                row = {"size": size, "tile": asdict(tile), "median_us": median_us}
                report["figures"].append(row)
                print(f"B, N, A = {size}: {median_us:8.1f} us  {tile}", flush=True)
        best = best_of(figures)
        if best is None:
            print(f"no row for max_tokens={max_tokens}: no tile is right at all of its sizes")
        else:
            rows[max_tokens] = f"TileRow({10 * major + minor}, 2, {max_tokens}, {best}),"
            # The table is read from its shortest row on.
            report["rows"] = [rows[n] for n in sorted(rows, key=lambda n: n or math.inf)]
        keep_report(report, out)
    return report


def _current(major: int, minor: int, sizes: tuple[tuple[int, int, int], ...]) -> Tile:
    return select_tile(10 * major + minor, sizes[0][1], 2)


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
    options = parser.parse_args()
    if not torch.cuda.is_available():
        rank_by_arithmetic()
        print("torch sees no CUDA device: nothing was measured, nothing written", file=sys.stderr)
        return 1
    torch.manual_seed(0)
    device = torch.device("cuda", torch.cuda.current_device())
    report = measure(options.rounds, device, options.out)
    print("rows for kernels/tiles.py:", *report["rows"], sep="\n")
    return 0 if len(report["rows"]) == len(CLASSES) else 1


if __name__ == "__main__":
    sys.exit(main())

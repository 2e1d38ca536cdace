"""Times attention beside everybody else's, at the shapes that frames ask of a backbone's layer.

In: a CUDA device on which the gate was green. Out: a row of JSON values per shape and dtype:
times, rates, ratios and goals. Must not be called before the gate.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ..attention import attention
from .attention_gate import HEAD_DIM, draw
from .attention_peers import Attention, peers
from .gate import TOLERANCE, relative_error
from .goals import OURS, PEER_GOALS, TFLOP_PER_S_GOALS, figure, ratios
from .timing import first_line, race, rotation, spread

DTYPES = (torch.bfloat16, torch.float16)


@dataclass(frozen=True, slots=True)
class Workload:
    """One shape to time: what a batch of frames asks of one backbone layer."""

    name: str
    n_batch: int
    n_tokens: int
    n_heads: int

    def __str__(self) -> str:
        return f"{self.name}, B={self.n_batch} N={self.n_tokens} A={self.n_heads}"

    @property
    def flop(self) -> int:
        """Floating-point operations of the two products, 4 N N K A B."""
        return 4 * self.n_tokens**2 * HEAD_DIM * self.n_heads * self.n_batch


WORKLOADS = (
    Workload("S 518", 64, 1370, 6),
    Workload("S 518", 8, 1370, 6),
    Workload("B 518", 32, 1370, 12),
    Workload("L 518", 16, 1370, 16),
    Workload("L 518 reg", 16, 1374, 16),
    Workload("S 224", 64, 257, 6),
    Workload("S 224", 8, 257, 6),
    Workload("S 224 reg", 64, 261, 6),
    Workload("B 224", 64, 257, 12),
    Workload("L 224", 64, 257, 16),
    Workload("S 224x392", 64, 449, 6),
)


def attention_rows(rounds: int, device: torch.device) -> Iterator[dict[str, Any]]:
    """Time every workload in both dtypes, those with goals first.

    Args:
        rounds: interleaved, 2 and more.
        device: whose gate was green.
    """
    for dtype in DTYPES:
        for workload in WORKLOADS:
            yield time_workload(workload, dtype, rounds, device)


def time_workload(
    workload: Workload, dtype: torch.dtype, rounds: int, device: torch.device
) -> dict[str, Any]:
    """Time ours and all peers in turn, round by round.

    Args:
        workload: the shape.
        dtype: of projection and result.
        rounds: 2 and more.
        device: whose gate was green.

    Returns:
        The row.
    """
    shape = (workload.n_batch, workload.n_tokens, workload.n_heads)
    first = draw(*shape, dtype, device)
    others = (draw(*shape, dtype, device) for _ in range(rotation(first.nbytes) - 1))
    known, absent = peers()
    agreeing, wrong = _agreeing(known, first)
    found = race({OURS: attention, **agreeing}, [first, *others], rounds)
    us = {name: spread(samples) for name, samples in found.times_us.items()}
    row = {
        "workload": str(workload),
        "dtype": str(dtype).removeprefix("torch."),
        "unit": "TFLOP/s",
        "us": us,
        "rates": {name: workload.flop / one["median"] / 1e6 for name, one in us.items()},
        "absent": absent | wrong | found.absent,
        "clocks": found.clocks,
    }
    return row | {"figures": attention_figures(row, workload.n_tokens)}


def attention_figures(row: dict[str, Any], n_tokens: int) -> list[dict[str, Any]]:
    """Rate and ratios of a row, with the goals for its N; in bfloat16 alone there are any."""
    goals: dict[str, float] = {}
    rate_goal = None
    if row["dtype"] == "bfloat16":
        goals = PEER_GOALS.get(n_tokens, {})
        rate_goal = TFLOP_PER_S_GOALS.get(n_tokens)
    medians = {name: one["median"] for name, one in row["us"].items()}
    rate = figure(None, row["rates"].get(OURS), rate_goal)
    return [rate, *ratios(medians, row["absent"], goals)]


def _agreeing(
    known: dict[str, Attention], qkv: Tensor
) -> tuple[dict[str, Attention], dict[str, str]]:
    """Peers that compute what ours does; one that does not is no peer, and is said to be none."""
    ours = attention(qkv)
    agreeing: dict[str, Attention] = {}
    wrong: dict[str, str] = {}
    for name, run in known.items():
        try:
            error = relative_error(run(qkv), ours)
        except Exception as failure:
            wrong[name] = first_line(failure)
            continue
        if error <= 2 * TOLERANCE[qkv.dtype]:
            agreeing[name] = run
        else:
            wrong[name] = f"its result is another: relative error {error:.2g}"
    return agreeing, wrong

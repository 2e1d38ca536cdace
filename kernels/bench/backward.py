"""Times attention forward and backward beside everybody else's, at the shapes of training.

In: a CUDA device on which the gate was green. Out: a row of JSON values per shape: times, rates,
ratios and goals. Must not be called before the gate.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor

from ..attention import packed_attention
from .attention_gate import HEAD_DIM
from .backward_gate import draw_pack
from .backward_peers import Attention, pack_peers
from .gate import TOLERANCE, relative_error
from .goals import OURS, TRAINING_GOALS, figure, ratios
from .timing import first_line, race, rotation, spread

DTYPE = torch.bfloat16
Example = tuple[Tensor, Tensor]
"""A projection that wants a gradient `[T, 3, A, K]`, and a gradient of the result."""


@dataclass(frozen=True, slots=True)
class Workload:
    """One shape to time: what a batch of crops asks of one layer in training.

    `flex`: compiled flex attention is asked too.
    """

    name: str
    lengths: tuple[int, ...]
    n_heads: int
    goals: Mapping[str, float]
    flex: bool = False

    def __str__(self) -> str:
        counts = {n_tokens: self.lengths.count(n_tokens) for n_tokens in self.lengths}
        packed = " + ".join(f"{count}x{n_tokens}" for n_tokens, count in counts.items())
        return f"{self.name}, {packed}, A={self.n_heads}"

    @property
    def flop(self) -> int:
        """Floating-point operations of 2 products forward and the 5 that a gradient needs."""
        return 7 * sum(2 * n_tokens**2 for n_tokens in self.lengths) * HEAD_DIM * self.n_heads


def _crops(n_pictures: int) -> tuple[int, ...]:
    """2 crops of 224 px and 8 of 98 px of each picture, as DINOv2's student has them."""
    return (257,) * (2 * n_pictures) + (50,) * (8 * n_pictures)


WORKLOADS = (
    Workload("S 224", (257,) * 64, 6, TRAINING_GOALS[257], flex=True),
    Workload("L crops", _crops(32), 16, {}, flex=True),
    Workload("L 224", (257,) * 64, 16, TRAINING_GOALS[257]),
    Workload("S crops", _crops(64), 6, {}),
    Workload("L 518", (1370,) * 8, 16, {}),
)


def backward_rows(rounds: int, device: torch.device) -> Iterator[dict[str, Any]]:
    """Time every workload, those with goals first.

    Args:
        rounds: interleaved, 2 and more.
        device: whose gate was green.
    """
    with torch.inference_mode(False), torch.enable_grad():
        for workload in WORKLOADS:
            yield time_workload(workload, rounds, device)


def time_workload(workload: Workload, rounds: int, device: torch.device) -> dict[str, Any]:
    """Time ours and all peers in turn, round by round, forward and backward together.

    Args:
        workload: the shape.
        rounds: 2 and more.
        device: whose gate was green.

    Returns:
        The row.
    """
    torch.compiler.reset()
    n_tokens = sum(workload.lengths)
    first = draw_pack(n_tokens, workload.n_heads, DTYPE, device)
    n_examples = rotation(sum(one.nbytes for one in first)) - 1
    others = (draw_pack(n_tokens, workload.n_heads, DTYPE, device) for _ in range(n_examples))
    known, absent = pack_peers(workload.lengths, device, flex=workload.flex)
    ours = partial(packed_attention, lengths=workload.lengths)
    agreeing, wrong = _agreeing(known, ours, first)
    contenders: dict[str, Attention] = {OURS: ours, **agreeing}
    runs = {name: partial(gradient, run) for name, run in contenders.items()}
    found = race(runs, [first, *others], rounds)
    us = {name: spread(samples) for name, samples in found.times_us.items()}
    rates = {name: workload.flop / one["median"] / 1e6 for name, one in us.items()}
    absent |= wrong | found.absent
    medians = {name: one["median"] for name, one in us.items()}
    return {
        "workload": str(workload),
        "dtype": str(DTYPE).removeprefix("torch."),
        "unit": "TFLOP/s with the gradient",
        "us": us,
        "rates": rates,
        "absent": absent,
        "clocks": found.clocks,
        "figures": [figure(None, rates.get(OURS), None), *ratios(medians, absent, workload.goals)],
    }


def gradient(run: Attention, example: Example) -> Tensor:
    """Forward and backward."""
    qkv, d_out = example
    (d_qkv,) = torch.autograd.grad(run(qkv), qkv, d_out)
    return d_qkv


def _agreeing(
    known: Mapping[str, Attention], ours: Callable[[Tensor], Tensor], example: Example
) -> tuple[dict[str, Attention], dict[str, str]]:
    """Peers whose gradient is ours; one whose is not is no peer, and is said to be none."""
    truth = gradient(ours, example)
    agreeing: dict[str, Attention] = {}
    wrong: dict[str, str] = {}
    for name, run in known.items():
        try:
            error = relative_error(gradient(run, example), truth)
        except Exception as failure:
            wrong[name] = first_line(failure)
            continue
        if error <= 2 * TOLERANCE[DTYPE]:
            agreeing[name] = run
        else:
            wrong[name] = f"its gradient is another: relative error {error:.2g}"
    return agreeing, wrong

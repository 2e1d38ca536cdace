"""One program of the specialised kernel in torch, line for line: three groups and slow copies.

Each group of warps is a generator that stops where it waits, and after whatever another one may
have waited for. Who goes on is the caller's choice: the one named first that can. Copies land one
after the other, when it is their turn.
"""

import math
from collections import deque
from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from tests.kernels.slow_memory import HEAD_DIM, Waits, rows_of, weigh, without_missing_keys

PARTIES = ("copying", "memory", "first", "second")
GROUP_ROWS = 64

Steps = Iterator[Callable[[], bool]]
"""A group at work: it yields what has to be true before it goes on."""


class Barrier:
    """An mbarrier: so many arrivals end a phase."""

    def __init__(self, count: int) -> None:
        self.count = self.missing = count
        self.phase = 0

    def arrive(self) -> None:
        self.missing -= 1
        if self.missing == 0:
            self.missing = self.count
            self.phase ^= 1

    def ended(self, phase: int) -> Callable[[], bool]:
        """Whether the last phase that ended is this one; before the first it is 1."""
        return lambda: self.phase != phase


class Program:
    """Shared memory and barriers of one program, its copies in flight, and its three groups."""

    def __init__(
        self,
        constants: dict[str, int],
        *,
        late_products: bool,
        frees_early: bool = False,
        groups_to_free: int = 2,
    ) -> None:
        self.block, self.stages = constants["BN"], constants["STAGES"]
        self.tail = constants["TAIL"]
        self.late_products, self.frees_early = late_products, frees_early
        self.s_q = torch.full((constants["BM"], HEAD_DIM), math.nan)
        self.s_k = torch.full((self.stages, self.block, HEAD_DIM), math.nan)
        self.s_v = self.s_k.clone()
        self.ready_q = Barrier(1)
        self.ready_k, self.ready_v = ([Barrier(1) for _ in range(self.stages)] for _ in range(2))
        self.free_k, self.free_v = (
            [Barrier(groups_to_free) for _ in range(self.stages)] for _ in range(2)
        )
        self.in_flight: deque[Callable[[], object]] = deque()
        self.out = torch.full((constants["BM"], HEAD_DIM), math.nan)

    def run(self, q: Tensor, k: Tensor, v: Tensor, preference: tuple[str, ...]) -> Tensor:
        """Let the groups go on in an order of preference until all have ended."""
        groups = {
            "copying": self.copy_blocks(q, k, v),
            "memory": self.land_copies(),
            "first": self.attend(0, len(k)),
            "second": self.attend(GROUP_ROWS, len(k)),
        }
        waiting = {name: next(group) for name, group in groups.items()}
        while set(waiting) > {"memory"}:
            name = next((name for name in preference if name in waiting and waiting[name]()), None)
            assert name is not None, f"{sorted(waiting)} wait for each other"
            step = next(groups[name], None)
            waiting.pop(name)
            if step is not None:
                waiting[name] = step
        return self.out

    def land_copies(self) -> Steps:
        while True:
            yield lambda: bool(self.in_flight)
            self.in_flight.popleft()()

    def load(self, shared: Tensor, source: Tensor, start: int, ready: Barrier) -> None:
        """Start a copy whose end is an arrival."""

        def land() -> None:
            shared.copy_(rows_of(source, start, len(shared)))
            ready.arrive()

        self.in_flight.append(land)

    def copy_blocks(self, q: Tensor, k: Tensor, v: Tensor) -> Steps:
        yield lambda: True
        self.load(self.s_q, q, 0, self.ready_q)
        for j in range(-(-len(k) // self.block)):
            i, phase = j % self.stages, j // self.stages & 1 ^ 1
            yield self.free_k[i].ended(phase)
            self.load(self.s_k[i], k, j * self.block, self.ready_k[i])
            yield self.free_v[i].ended(phase)
            self.load(self.s_v[i], v, j * self.block, self.ready_v[i])

    def attend(self, start: int, n_tokens: int) -> Steps:
        products = Waits(self.late_products)
        b_s = torch.full((GROUP_ROWS, self.block), math.nan)
        b_acc = torch.zeros(GROUP_ROWS, HEAD_DIM)
        s_q = self.s_q[start : start + GROUP_ROWS]

        def score(keys: Tensor) -> None:
            products.commit(lambda: b_s[:, : len(keys)].copy_(s_q @ keys.T))

        def weight(p: Tensor, values: Tensor) -> None:
            products.commit(lambda: b_acc.add_(p @ values))

        def ready(ring: list[Barrier], j: int) -> Callable[[], bool]:
            return ring[j % self.stages].ended(j // self.stages & 1)

        yield self.ready_q.ended(0)
        yield ready(self.ready_k, 0)
        score(self.s_k[0])
        products.wait(0)
        self.free_k[0].arrive()
        yield lambda: True
        sums = torch.zeros(GROUP_ROWS)
        p, m, sums, alpha = weigh(b_s, sums - math.inf, sums)
        n_full = n_tokens // self.block
        for j in range(n_full - 1):
            i_k, i_v = (j + 1) % self.stages, j % self.stages
            yield ready(self.ready_k, j + 1)
            yield ready(self.ready_v, j)
            score(self.s_k[i_k])
            weight(p, self.s_v[i_v])
            products.wait(1)
            self.free_k[i_k].arrive()
            yield lambda: True
            p, m, sums, alpha = weigh(b_s, m, sums)
            if not self.frees_early:
                products.wait(0)
            self.free_v[i_v].arrive()
            yield lambda: True
            products.wait(0)
            b_acc *= alpha[:, None]
        yield ready(self.ready_v, n_full - 1)
        values = self.s_v[(n_full - 1) % self.stages]
        if self.tail > 0:
            yield ready(self.ready_k, n_full)
            score(self.s_k[n_full % self.stages, : self.tail])
            weight(p, values)
            products.wait(1)
            b_t = without_missing_keys(b_s[:, : self.tail], n_full * self.block, n_tokens)
            p, m, sums, alpha = weigh(b_t, m, sums)
            products.wait(0)
            b_acc *= alpha[:, None]
            yield ready(self.ready_v, n_full)
            values = self.s_v[n_full % self.stages, : self.tail]
        weight(p, values)
        products.wait(0)
        self.out[start : start + GROUP_ROWS] = b_acc / sums[:, None]

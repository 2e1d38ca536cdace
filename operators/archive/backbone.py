"""A backbone that computes nothing: what was kept of frames -> their features.

Takes the place of `operators.backbones.backbone.Backbone` in an engine. Its frames' pixels are the
pictures of `operators.archive.layout`. Every frame is expanded by itself, so that no bit of its
features depends on its batch mates.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy

import torch
from torch import Tensor

from operators.archive.basis import Basis
from operators.archive.kind import Kind
from operators.archive.layout import FINAL, Numbers, block_name
from operators.backbones.engines.choice import Choice
from operators.backbones.engines.products import packs
from operators.backbones.loaded import LoadedBackbone
from operators.backbones.precision import Precision
from operators.backbones.thread_pool import ThreadPool, stay_on_one_core
from operators.errors import UsageError, WeightsError
from operators.frames import Features, FrameBatch


class KeptBackbone:
    """Of one kind of archive. Called from one thread.

    Attributes:
        norm: the final one, on the device.
    """

    def __init__(
        self,
        loaded: LoadedBackbone,
        kind: Kind,
        basis: Basis,
        *,
        blocks: Sequence[int],
        batch_size: int,
        threads: int,
        device: torch.device,
        choice: Choice,
    ) -> None:
        """
        Args:
            loaded: the backbone that the features are of, for its name and its final norm.
            kind: of the archive.
            basis: its own.
            blocks: whose output the features shall hold.
            batch_size: B of the features; smaller batches are padded.
            threads: frames that a CPU works on at a time; no result depends on it.
            device: where features are wanted, in float32.
            choice: as of a backbone that computes; dense heads round their products by it.

        Raises:
            UsageError: a block was not kept.
            WeightsError: the archive, its basis and the weights do not belong together.
        """
        kept, lacking = kind.layout, sorted(set(blocks) - set(kind.layout.blocks))
        if lacking:
            raise UsageError(
                f"the heads of this run read block {', '.join(map(str, lacking))} of the backbone, "
                f"and what was kept is {', '.join(kept.maps)}; keep features again, in a run with "
                "these heads and a basis fitted for them, or leave the heads out"
            )
        if basis.sha256 != kind.basis:
            raise WeightsError(
                f"{basis.source}: is damaged, or another basis: its sha256 is {basis.sha256}, and "
                f"the features were kept in {kind.basis}; put back the file of that run's --basis"
            )
        basis.check(loaded.sha256, loaded.model.architecture.name)
        self.loaded = loaded
        self.blocks = tuple(sorted(set(blocks)))
        self.batch_size = batch_size
        self.device = device
        self.dtype = torch.float32
        self.choice = choice
        self.norm = deepcopy(loaded.model.norm).to(device)
        self._kind = kind
        chosen = basis.chosen(kept)
        self._directions = {name: one.to(device) for name, one in chosen.items()}
        self._pool = ThreadPool(min(threads, batch_size)) if device.type == "cpu" else None

    @property
    def identity(self) -> str:
        """What computes, with all of it that can change a bit."""
        if self._pool is None:
            return f"{self._kind.identity}; heads {self.choice.heads.value}"
        heads = "packed" if packs(self.choice.dtype) else "plain"
        return f"{self._kind.identity}; heads {heads}"

    def __call__(self, batch: FrameBatch) -> Features:
        """Features of up to `batch_size` frames of one size; see `Backbone`.

        Args:
            batch: uint8 `[n, h, W, 3]`, pictures of the archive's layout.

        Raises:
            ValueError: more frames than the batch size, or pictures of another layout.
        """
        if len(batch.infos) > self.batch_size:
            raise ValueError(f"{len(batch.infos)} frames in a batch, at most {self.batch_size} fit")
        layout = self._kind.layout
        grid = layout.grid_hw((batch.pixels.shape[1], batch.pixels.shape[2]))
        maps = {name: self._empty((*grid, layout.width)) for name in (*layout.maps, FINAL)}
        fine = self._empty((layout.fine_tokens, layout.width))
        cls = self._empty((layout.width,))

        @torch.inference_mode()
        def fill(row: int) -> None:
            numbers = layout.unpacked(batch.pixels[row])
            for at, name in enumerate(layout.maps):
                maps[name][row] = self._patches(name, at, numbers)
            fine[row] = torch.from_numpy(numbers.fine.astype("float32")).to(self.device)
            if layout.final:
                cls[row] = fine[row, -1]
            else:
                last = maps[layout.maps[-1]]
                first = (len(layout.blocks) - 1) * (1 + layout.registers)
                maps[FINAL][row] = self.norm(last[row : row + 1])[0]
                cls[row] = self.norm(fine[row : row + 1, first])[0]

        rows = range(len(batch.infos))
        if self._pool:
            stay_on_one_core()
            self._pool.map(fill, rows)
        else:
            for row in rows:
                fill(row)
        return self._features(batch, maps, fine, cls)

    def close(self) -> None:
        """End the threads."""
        if self._pool:
            self._pool.close()

    def _empty(self, shape: tuple[int, ...]) -> Tensor:
        """For a whole batch; what is padding is zero."""
        return torch.zeros((self.batch_size, *shape), dtype=self.dtype, device=self.device)

    def _patches(self, name: str, at: int, numbers: Numbers) -> Tensor:
        """Of one map of one frame, `[h, w, D]`."""
        own = self._directions[name]
        codes = torch.from_numpy(numbers.codes[at].copy()).to(self.device)
        scales = torch.from_numpy(numbers.scales[at].astype("float32")).to(self.device)
        along = codes.float() * scales[..., None]
        flat = torch.addmm(own.mean, along.flatten(0, 1), own.back)
        return flat.view(*along.shape[:2], -1)

    def _features(
        self, batch: FrameBatch, maps: dict[str, Tensor], fine: Tensor, cls: Tensor
    ) -> Features:
        layout = self._kind.layout
        each = 1 + layout.registers
        firsts = {block: turn * each for turn, block in enumerate(layout.blocks)}
        precision = Precision.of(self.choice.dtype) if self._pool else self.choice.heads
        return Features(
            batch.infos,
            cls,
            maps[FINAL],
            {block: (maps[block_name(block)], fine[:, firsts[block]]) for block in self.blocks},
            self.norm,
            precision,
            self._pool,
            registers={
                block: fine[:, firsts[block] + 1 : firsts[block] + each] for block in self.blocks
            }
            if layout.registers
            else None,
        )

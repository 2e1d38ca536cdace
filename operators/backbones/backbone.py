"""Operator zero: a batch of frames in, the features that every other operator reads out.

On a GPU a batch is one pass, padded to one size, so that a kernel always sees the same shape; on a
CPU every thread computes some of its frames. Either way a frame's features do not depend on its
batch mates. Must not know where frames come from.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import replace
from functools import partial

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from operators.backbones.engines.choice import EXACT, Choice, build_engine
from operators.backbones.engines.engine import BackboneEngine, Tokens
from operators.backbones.engines.products import packs
from operators.backbones.loaded import LoadedBackbone
from operators.backbones.precision import Precision
from operators.backbones.preprocess import normalise
from operators.backbones.thread_pool import ThreadPool, stay_on_one_core
from operators.frames import Features, FrameBatch, FrameInfo


class Backbone:
    """One model on one device. Called from one thread.

    Attributes:
        norm: the final one, there.
    """

    def __init__(
        self,
        loaded: LoadedBackbone,
        *,
        blocks: Sequence[int] = (),
        batch_size: int = 8,
        threads: int = 1,
        device: torch.device | str = "cpu",
        choice: Choice = EXACT,
        engine: BackboneEngine | None = None,
    ) -> None:
        """Put a loaded backbone on a device.

        Args:
            loaded: what `load_backbone` gave.
            blocks: blocks whose output `Features.layers` shall hold, from 0.
            batch_size: B of the features; smaller batches are padded. With 1 a frame gets all
                threads of a CPU, and their number is part of the identity.
            threads: frames that a CPU works on at a time; no result depends on it otherwise.
            device: where it runs and where features stay, which are float32.
            choice: what computes on a CPU, and the dtype of products anywhere.
            engine: of a model that is not ours, on that device; None: one of ours, as chosen.

        Raises:
            ValueError: a batch size or threads below 1, or a block that the model does not have.
            UsageError: weights that int8 spoils, where the choice is int8.
        """
        depth = loaded.model.architecture.depth
        outside = sorted(block for block in set(blocks) if not 0 <= block < depth)
        if batch_size < 1 or threads < 1 or outside:
            raise ValueError(
                f"batch_size and threads must be at least 1, got {batch_size} and {threads}; "
                f"blocks must be within 0..{depth - 1}, got {outside or 'good ones'}"
            )
        self.loaded = loaded
        self.blocks = tuple(sorted(set(blocks)))
        self.batch_size = batch_size
        self.device = torch.device(device)
        self.dtype = torch.float32
        self.choice = choice
        self._model = loaded.model
        self.norm = deepcopy(loaded.model.norm).to(self.device)
        self._pool: ThreadPool | None = None
        self._engine: BackboneEngine
        if self.device.type == "cpu":
            hands = min(threads, batch_size)
            self._hands = hands
            self._pool = ThreadPool(hands)
            self._engine = engine or build_engine(
                choice,
                loaded.model,
                self.blocks,
                threads=hands,
                # With several frames side by side no bit depends on how many cores there are.
                cores=threads if batch_size == 1 else 1,
                weights=f"{loaded.name}, {loaded.source}",
            )
        else:
            from operators.backbones.engines.gpu_engine import GpuEngine

            self._engine = engine or GpuEngine(
                loaded.vit("our engine of GPUs"),
                *(self.blocks, self.device, choice.dtype),
                batch_size=batch_size,
            )

    @property
    def identity(self) -> str:
        """What computes, with all of it that can change a bit."""
        if not self._pool:
            return f"{self._engine.identity}, heads {self.choice.heads.value}"
        heads = "packed" if packs(self.choice.dtype) else "plain"
        return f"{self._engine.identity}, heads {heads}"

    def __call__(self, batch: FrameBatch) -> Features:
        """Features of up to `batch_size` frames of one size.

        Args:
            batch: uint8 RGB `[n, H, W, 3]`, 1 <= n <= B.

        Returns:
            Tensors with B rows on the device; rows from n on are padding. On a GPU the next batch
            overwrites them: what reads them has to be launched before. On a CPU torch computes on
            one core in the calling thread from then on, so that operators' results are steady.

        Raises:
            ValueError: more frames than the batch size, or sides that are no multiples of the
                model's patch.
        """
        if len(batch.infos) > self.batch_size:
            raise ValueError(f"{len(batch.infos)} frames in a batch, at most {self.batch_size} fit")
        grid = self._grid(batch)
        if self._pool:
            tokens = self._side_by_side(batch, grid)
        else:
            # Out of an object store they may be read-only, which torch warns of.
            own = batch.pixels if batch.pixels.flags.writeable else batch.pixels.copy()
            tokens = self._engine(torch.from_numpy(own))
        seen = self._features(batch.infos, grid, tokens)
        look = partial(self._again, batch)
        return replace(seen, pool=self._pool, look=look, pixels=batch.pixels)

    def _grid(self, batch: FrameBatch) -> tuple[int, int]:
        """Patches down and across."""
        height, width = batch.pixels.shape[1:3]
        arch = self._model.architecture
        if height % arch.patch or width % arch.patch:
            raise ValueError(
                f"frame size {height}x{width} must be multiples of {arch.patch}, the patch of "
                f"{arch.name}"
            )
        return height // arch.patch, width // arch.patch

    def close(self) -> None:
        """End the threads."""
        if self._pool:
            self._pool.close()

    @torch.inference_mode()
    def _side_by_side(self, batch: FrameBatch, grid: tuple[int, int]) -> Tokens:
        assert self._pool
        engine = self._engine
        stay_on_one_core()
        last, count = self._model.architecture.depth - 1, len(batch.infos)
        tokens = self._room(grid, last)
        kept = {block: self._room(grid, block) for block in self.blocks}
        for padded in (tokens, *kept.values()):
            padded[count:] = 0

        @torch.inference_mode()
        def fill(turn: int) -> None:
            rows = slice(turn * each, min((turn + 1) * each, count))
            # Copied: frames out of an object store are read-only, which torch warns of.
            own, own_kept = engine(torch.from_numpy(batch.pixels[rows].copy()))
            tokens[rows] = own
            for block, before in own_kept.items():
                kept[block][rows] = before

        each = -(-count // self._hands)
        self._pool.map(fill, range(-(-count // each)))
        return tokens, kept

    @torch.inference_mode()
    def _again(
        self, batch: FrameBatch, row: int, grid: tuple[int, int], mirrored: bool
    ) -> Features:
        """A pass of one frame alone, by the plain model on any device: see `Features.again`."""
        model = self._model.to(self.device)
        pixels = torch.from_numpy(batch.pixels[row : row + 1].copy()).to(self.device)
        arch = self._model.architecture
        resized = interpolate(
            normalise(pixels, torch.float32, arch.statistics),
            size=(grid[0] * arch.patch, grid[1] * arch.patch),
            mode="bilinear",
            align_corners=False,
        )
        pixels = resized.flip(3) if mirrored else resized
        return self._features(batch.infos[row : row + 1], grid, model(pixels, self.blocks))

    def _features(
        self, infos: tuple[FrameInfo, ...], grid: tuple[int, int], seen: Tokens
    ) -> Features:
        tokens, kept = seen
        arch = self._model.architecture
        patches, cls = self._split(tokens, grid)
        layers = {
            block: self._split(before, _finer(grid, arch.finer(block)))
            for block, before in kept.items()
        }
        choice = self.choice
        precision = Precision.of(choice.dtype) if self._pool else choice.heads
        first = 1 + arch.registers
        registers = {block: before[:, 1:first] for block, before in kept.items()}
        return Features(
            *(infos, cls, patches, layers, self.norm, precision),
            registers=registers if first > 1 else None,
        )

    def _room(self, grid: tuple[int, int], block: int) -> Tensor:
        """For a batch's tokens of a block, `[B, N, D]`."""
        arch = self._model.architecture
        finer = arch.finer(block)
        h, w = _finer(grid, finer)
        shape = (self.batch_size, 1 + arch.registers + h * w, arch.width // finer)
        return torch.empty(shape, dtype=self.dtype)

    def _split(self, tokens: Tensor, grid: tuple[int, int]) -> tuple[Tensor, Tensor]:
        first = 1 + self._model.architecture.registers
        return tokens[:, first:].reshape(len(tokens), *grid, -1), tokens[:, 0]


def _finer(grid: tuple[int, int], times: int) -> tuple[int, int]:
    return grid[0] * times, grid[1] * times

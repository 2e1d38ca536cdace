"""Who takes part in a comparison: weights of ours, or a peer -> its backbone, when it is wanted."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from operators.backbones.architectures import Architecture, architecture
from operators.backbones.backbone import Backbone
from operators.depth.linear import FOUR_BLOCKS
from operators.learn.depth_head import depth_blocks
from operators.peers.load import load_peer, start_peer
from operators.peers.name import PeerName
from pipeline.features.backbone import kept_blocks, open_backbone


class Contender(Protocol):
    """One of them. Nothing is loaded before `open`."""

    @property
    def name(self) -> str:
        """What it is called in JSON; no other of the comparison has it."""

    @property
    def title(self) -> str:
        """For people."""

    def open(self, blocks: int) -> Backbone:
        """Its backbone, which the caller closes; it keeps what heads over so many blocks read.

        Args:
            blocks: 1 or 4, see `blocks_read`.

        Raises:
            UsageError: it cannot be had.
        """


@dataclass(frozen=True, slots=True)
class Ours:
    """Weights of our architectures; the attributes are the arguments of `open_backbone`."""

    model: str
    weights: str
    seed: int = 0
    threads: int | None = None
    backend: str = "auto"

    @property
    def name(self) -> str:
        return self.weights

    @property
    def title(self) -> str:
        return Path(self.weights).stem

    def open(self, blocks: int) -> Backbone:
        arch = architecture(self.model)
        return open_backbone(
            self.model,
            self.weights,
            seed=self.seed,
            threads=self.threads,
            backend=self.backend,
            blocks=depth_blocks(arch, blocks_read(arch, blocks)),
        )


@dataclass(frozen=True, slots=True)
class Beside:
    """A peer.

    Attributes:
        peer: which.
        seed: of random weights, where it has no file.
        threads: of a CPU; one per core where None.
    """

    peer: PeerName
    seed: int = 0
    threads: int | None = None

    @property
    def name(self) -> str:
        return f"{self.peer}={self.peer.file.name}" if self.peer.file else str(self.peer)

    @property
    def title(self) -> str:
        return self.name

    def open(self, blocks: int) -> Backbone:
        loaded = load_peer(self.peer, seed=self.seed)
        arch = loaded[0].architecture
        wanted = (*kept_blocks(arch), *depth_blocks(arch, blocks_read(arch, blocks)))
        return start_peer(loaded, blocks=wanted, threads=self.threads)


def blocks_read(arch: Architecture, wanted: int) -> int:
    """How many blocks heads of maps read: as many as wanted, but one where nobody has said which
    four they would be (`FOUR_BLOCKS`)."""
    return wanted if arch.depth in FOUR_BLOCKS else 1

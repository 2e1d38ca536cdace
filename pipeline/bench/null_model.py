"""An engine without a model: features that mean nothing, at no cost, and one real record a frame.

Loop, batches, lanes, the operator and its records are the real ones.
"""

from __future__ import annotations

import torch

from operators.backbones.architectures import architecture
from operators.backbones.start import BATCHES
from operators.frames import Features, FrameBatch
from operators.variant import Computation, RecordKind
from operators.vector.embedding import Embedding
from pipeline.allocator import keep_freed_memory
from pipeline.configuration.config import Config
from pipeline.engine.assembly import Assembly
from pipeline.engine.identity import Identity
from pipeline.engine.step import Engine
from pipeline.engine.variants import Variants

NULL = "null"


class NullBackbone:
    """Sees the same in every frame."""

    device, dtype = torch.device("cpu"), torch.float32

    def __init__(self, width: int, batch_size: int) -> None:
        """
        Args:
            width: of a token, which decides how large a record is.
            batch_size: frames of a batch at most.
        """
        self.batch_size = batch_size
        seeded = torch.Generator().manual_seed(0)
        self._cls = torch.randn((batch_size, width), generator=seeded)
        self._patches = torch.empty((batch_size, 0, 0, width))

    def __call__(self, batch: FrameBatch) -> Features:
        return Features(batch.infos, self._cls, self._patches)

    def close(self) -> None:
        """Nothing is held."""


def null_assembly(config: Config) -> Assembly:
    """An engine for a configuration whose only operator is `embedding`.

    Its records are of a model and a variant of their own, which no model gives.
    """
    keep_freed_memory()  # as every engine does
    backbone = NullBackbone(architecture(config.model).width, config.batch_size or BATCHES["cpu"])
    operator = Embedding()
    operator.untrained = True
    nothing = Computation(NULL, NULL, NULL, NULL, NULL, NULL)
    kinds = {topic: RecordKind.of(operator, topic) for topic in operator.topics}
    return Assembly(
        Engine(backbone, [operator]),  # type: ignore[arg-type]
        Identity(model=NULL, operators={operator.name: Variants(kinds, nothing)}, labels={}),
        {operator.name: operator},
    )

"""The backbone that features are computed with: a model and weights, or a loaded one -> ready."""

from __future__ import annotations

from collections.abc import Sequence

from operators.backbones.architectures import Architecture, architecture
from operators.backbones.backbone import Backbone
from operators.backbones.loaded import LoadedBackbone
from operators.backbones.start import start_backbone
from operators.weights.load import load_backbone
from pipeline.allocator import keep_freed_memory
from pipeline.configuration.config import Config

BLOCKS = 4  # class tokens of so many last blocks are kept, as upstream's largest linear head reads


def open_backbone(
    model: str,
    weights: str,
    *,
    seed: int = 0,
    threads: int | None = None,
    backend: str = "auto",
    blocks: Sequence[int] = (),
) -> Backbone:
    """Load one and put it on the best device there is.

    Args:
        model: architecture, such as `dinov2_vits14`.
        weights: `auto`, `random`, `demo` or a path.
        seed: of random weights.
        threads: CPU threads; one per core where None.
        backend: what computes on a CPU.
        blocks: that it keeps beside the last `BLOCKS`.

    Raises:
        UsageError: an unknown model, or weights that cannot be had.
    """
    loaded = load_backbone(architecture(model), weights, seed=seed)
    return feature_backbone(loaded, threads=threads, backend=backend, blocks=blocks)


def configured_backbone(config: Config, *, blocks: Sequence[int] = ()) -> Backbone:
    """The one that a configuration names; `blocks` and errors as of `open_backbone`."""
    return open_backbone(
        config.model,
        config.weights,
        seed=config.seed,
        threads=config.threads,
        backend=config.backend,
        blocks=blocks,
    )


def feature_backbone(
    loaded: LoadedBackbone,
    *,
    threads: int | None = None,
    backend: str = "auto",
    blocks: Sequence[int] = (),
) -> Backbone:
    """A loaded one on the best device there is; the arguments are those of `open_backbone`."""
    keep_freed_memory()
    own = kept_blocks(loaded.model.architecture)
    return start_backbone(loaded, blocks=[*own, *blocks], threads=threads, backend=backend)


def kept_blocks(arch: Architecture) -> range:
    """The last `BLOCKS` of them, which every feature store reads; of a pyramid the last one."""
    return range(arch.depth - (1 if arch.pyramid else min(BLOCKS, arch.depth)), arch.depth)

"""The sizes of DINOv2, and of what is built on it, as a table: name in, numbers out.

Knows nothing of torch or of files.
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

from operators.errors import UsageError

DEMO_MODEL = "dinov2_vitti14"  # ours, what `--weights demo` are
OWN_MODELS = (DEMO_MODEL, "dinov2_vitti14_6")  # ours; the second has half of the blocks


@dataclass(frozen=True, slots=True)
class Architecture:
    """One line of the table.

    Attributes:
        name: what `--model` takes.
        width: D, numbers per token.
        depth: blocks.
        heads: A, attention heads, which share the width evenly.
        registers: extra tokens between the class token and the patches.
        ffn: what follows the attention in a block.
        patch: side of a patch in pixels; DINOv2's, where nothing else is said.
        grid: patches a side that positional embeddings are stored for; DINOv2's 518 px.
        cornered: it learnt pictures that are padded below and on the right, so a smaller one has
            the positions of that corner; others have the whole table, resized.
        own_blocks: blocks behind these that belong to its one head (EoMT).
    """

    name: str
    width: int
    depth: int
    heads: int
    registers: int = 0
    ffn: Literal["mlp", "swiglu"] = "mlp"
    patch: int = 14
    grid: int = 37
    cornered: bool = False
    own_blocks: int = 0

    def __post_init__(self) -> None:
        if self.heads < 1 or self.width % self.heads:
            raise ValueError(
                f"{self.name}: width must be a multiple of its {self.heads} heads, got {self.width}"
            )
        if self.patch < 1 or self.grid < 1:
            raise ValueError(f"{self.name}: patch {self.patch} or grid {self.grid} wrong")
        if self.depth < 1 or self.registers < 0:
            raise ValueError(f"{self.name}: depth {self.depth} or registers {self.registers} wrong")

    @property
    def head_dim(self) -> int:
        """K, numbers of one attention head: 64 in every DINOv2."""
        return self.width // self.heads

    @property
    def hidden(self) -> int:
        """Width inside the feed-forward part: 4 D; for SwiGLU 2/3 of that, a multiple of 8."""
        if self.ffn == "mlp":
            return 4 * self.width
        return (4 * self.width * 2 // 3 + 7) // 8 * 8


def _variants() -> dict[str, Architecture]:
    official = (
        Architecture("dinov2_vits14", width=384, depth=12, heads=6),
        Architecture("dinov2_vitb14", width=768, depth=12, heads=12),
        Architecture("dinov2_vitl14", width=1024, depth=24, heads=16),
        Architecture("dinov2_vitg14", width=1536, depth=40, heads=24, ffn="swiglu"),
    )
    with_registers = tuple(
        Architecture(f"{plain.name}_reg", plain.width, plain.depth, plain.heads, 4, plain.ffn)
        for plain in official
    )
    ours = (
        Architecture(name, width=192, depth=depth, heads=3)
        for name, depth in zip(OWN_MODELS, (12, 6), strict=True)
    )
    return {one.name: one for one in (*official, *with_registers, *ours, *_eomt())}


def _eomt() -> tuple[Architecture, ...]:
    """DINOv2 with registers, fine-tuned at 16 px a patch; the last blocks are EoMT's head."""
    sizes = (("small", 384, 12, 6, 3), ("base", 768, 12, 12, 3), ("large", 1024, 24, 16, 4))
    giant = ("giant", 1536, 40, 24, 5)
    published = [(size, 640) for size in (*sizes, giant)] + [(sizes[-1], 1280), (giant, 1280)]
    return tuple(
        Architecture(
            f"eomt_{name}_{side}",
            *(width, blocks - own, heads, 4),
            ffn="swiglu" if name == "giant" else "mlp",
            patch=16,
            grid=side // 16,
            cornered=True,
            own_blocks=own,
        )
        for (name, width, blocks, heads, own), side in published
    )


ARCHITECTURES = _variants()


def architecture(name: str) -> Architecture:
    """The sizes behind a model name.

    Args:
        name: one of `ARCHITECTURES`, such as `dinov2_vits14` or `dinov2_vitb14_reg`.

    Raises:
        UsageError: unknown name; the text offers the nearest one and lists all.
    """
    found = ARCHITECTURES.get(name)
    if found is None:
        near = get_close_matches(name, ARCHITECTURES, n=1, cutoff=0.4)
        hint = f" Did you mean {near[0]}?" if near else ""
        raise UsageError(f"unknown model {name!r}.{hint} Models: {', '.join(ARCHITECTURES)}")
    return found

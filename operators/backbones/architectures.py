"""Sizes of DINOv2, what is built on it, its elders, DINOv3 and Swin: name in, numbers out.

Knows nothing of torch or of files.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Literal

from operators.backbones.statistics import IMAGENET, SAT493M, Statistics
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
        stages: of a pyramid (Swin) the blocks of each stage. What operators call a block is a stage
            then, so depth is how many there are; width, heads and patch are the last one's.
        window: tokens a side that a pyramid's attention reaches over.
        layer_scale: its files have LayerScale and a mask token; of others branches count once.
        unshifted: positions are resized to another grid as it is, without a filter (DeiT's).
        own_classifier: the name, as a head, of what its files also hold to classify ImageNet
            (DeiT's, Swin's).
        rotary: queries and keys are turned by their place (DINOv3) and nothing is added to tokens,
            so there is no `grid`.
        ffn_ratio: width inside the feed-forward part, in D; SwiGLU has 2/3 of it.
        norm_eps: what every norm adds to a variance.
        statistics: what its pixels are normalised by.
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
    stages: tuple[int, ...] = ()
    window: int = 0
    layer_scale: bool = True
    unshifted: bool = False
    own_classifier: str = ""
    rotary: bool = False
    ffn_ratio: int = 4
    norm_eps: float = 1e-6
    statistics: Statistics = IMAGENET

    def __post_init__(self) -> None:
        if self.heads < 1 or self.width % self.heads:
            raise ValueError(
                f"{self.name}: width must be a multiple of its {self.heads} heads, got {self.width}"
            )
        if self.patch < 1 or self.grid < 1:
            raise ValueError(f"{self.name}: patch {self.patch} or grid {self.grid} wrong")
        if self.depth < 1 or self.registers < 0:
            raise ValueError(f"{self.name}: depth {self.depth} or registers {self.registers} wrong")
        if self.stages and (len(self.stages) != self.depth or self.window < 1):
            raise ValueError(f"{self.name}: stages {self.stages} or window {self.window} wrong")
        if self.rotary and self.head_dim % 4:
            raise ValueError(f"{self.name}: heads of {self.head_dim} numbers do not turn in fours")

    @property
    def head_dim(self) -> int:
        """K, numbers of one attention head: 64 in every DINOv2."""
        return self.width // self.heads

    @property
    def hidden(self) -> int:
        """Width inside the feed-forward part; for SwiGLU a multiple of 8."""
        whole = self.ffn_ratio * self.width
        return whole if self.ffn == "mlp" else (whole * 2 // 3 + 7) // 8 * 8

    @property
    def pyramid(self) -> bool:
        """Its blocks have grids and widths of their own."""
        return bool(self.stages)

    @property
    def parameters(self) -> int:
        """Of its blocks, which are nearly all."""
        inner = self.hidden * (2 if self.ffn == "mlp" else 3)
        return sum(
            blocks * (4 * self.width + inner) * self.width // self.finer(index) ** 2
            for index, blocks in enumerate(self.stages or (self.depth,))
        )

    def finer(self, block: int) -> int:
        """How many times finer a block's grid is than the last one's, and its width smaller: 1
        where all have the same."""
        return 2 ** (len(self.stages) - 1 - block) if self.stages else 1

    def require_one_grid(self, what: str) -> None:
        """For whatever reads several blocks side by side, or runs them again.

        Args:
            what: begins the error's text.

        Raises:
            UsageError: a pyramid.
        """
        if self.pyramid:
            raise UsageError(
                f"{what} wants blocks of one grid and one width; {self.name} is a pyramid, whose "
                "stages have a grid and a width each, so only its last map is read: take what "
                "reads one block (docs/swin.md says what does), or a DINOv2"
            )


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
    families = (official, with_registers, ours, _eomt(), _dino(), _deit(), _dinov3(), _swin())
    return {one.name: one for family in families for one in family}


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


def _dinov3() -> tuple[Architecture, ...]:
    """arXiv 2508.10104, by the names of upstream's hub; two also have learnt satellite pictures."""
    sizes = (
        ("s16", 384, 12, 6, 4),
        ("s16plus", 384, 12, 6, 6),
        ("b16", 768, 12, 12, 4),
        ("l16", 1024, 24, 16, 4),
        ("l16plus", 1024, 24, 16, 6),
        ("h16plus", 1280, 32, 20, 6),
        ("7b16", 4096, 40, 32, 3),
    )
    of_the_web = tuple(
        Architecture(
            f"dinov3_vit{size}",
            *(width, depth, heads, 4),
            ffn="mlp" if ratio == 4 else "swiglu",
            patch=16,
            rotary=True,
            ffn_ratio=ratio,
            norm_eps=1e-5,
        )
        for size, width, depth, heads, ratio in sizes
    )
    of_satellites = tuple(
        replace(one, name=f"{one.name}_sat493m", statistics=SAT493M)
        for one in of_the_web
        if one.name.endswith(("vitl16", "vit7b16"))
    )
    return (*of_the_web, *of_satellites)


def _swin() -> tuple[Architecture, ...]:
    """Widths and heads of the last stage; upstream's names are of the first: C 96, 96, 128, 192."""
    tiny, others = (2, 2, 6, 2), (2, 2, 18, 2)
    at_224 = (("tiny", 768, tiny), ("small", 768, others), ("base", 1024, others))
    large = ("large", 1536, others)
    published = [(*one, 7, 224) for one in (*at_224, large)]
    published += [(*one, 12, 384) for one in (at_224[-1], large)]
    return tuple(
        Architecture(
            f"swin_{size}_patch4_window{window}_{side}",
            *(width, len(stages), width // 32),
            patch=32,
            grid=side // 32,
            stages=stages,
            window=window,
            own_classifier="swin",
        )
        for size, width, stages, window, side in published
    )


def _dino() -> tuple[Architecture, ...]:
    """DINO v1's vision transformers (arXiv 2104.14294), by the names of upstream's hub."""
    return tuple(
        Architecture(
            f"dino_vit{size}{patch}",
            *(width, 12, width // 64),
            patch=patch,
            grid=224 // patch,
            layer_scale=False,
        )
        for size, width in (("s", 384), ("b", 768))
        for patch in (16, 8)
    )


def _deit() -> tuple[Architecture, ...]:
    """DeiT's (arXiv 2012.12877), by upstream's names. A distillation token is their register."""
    sizes = {"tiny": 192, "small": 384, "base": 768}
    return tuple(
        Architecture(
            f"deit_{size}_{'distilled_' if distilled else ''}patch16_{side}",
            *(width, 12, width // 64, int(distilled)),
            patch=16,
            grid=side // 16,
            layer_scale=False,
            unshifted=True,
            own_classifier="deit",
        )
        for size, width in sizes.items()
        for side in ((224, 384) if size == "base" else (224,))
        for distilled in (False, True)
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

"""What a user calls a peer: `FAMILY:MODEL[=FILE]` -> family, model and the file of its weights.

Opens nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from operators.errors import UsageError

Family = Literal["timm", "ibot", "open_clip", "pixels"]
FAMILIES: tuple[Family, ...] = get_args(Family)
PIXELS = "8x8"


@dataclass(frozen=True, slots=True)
class PeerName:
    """One that stands beside our backbone.

    Attributes:
        family: whose names `model` is of.
        model: a name of that family.
        file: of its weights; None: seeded random ones, the floor of its architecture.
    """

    family: Family
    model: str
    file: Path | None = None

    def __str__(self) -> str:
        return f"{self.family}:{self.model}"

    @classmethod
    def parse(cls, text: str) -> PeerName:
        """
        Args:
            text: such as `timm:vit_small_patch16_224.dino=dino_deitsmall16_pretrain.pth`.

        Raises:
            UsageError: it is no such name, or pixels with something of their own.
        """
        family, colon, rest = text.partition(":")
        model, equals, file = rest.partition("=")
        if not (colon and model and family in FAMILIES) or (equals and not file):
            raise UsageError(
                f"want FAMILY:MODEL or FAMILY:MODEL=FILE with one of {', '.join(FAMILIES)}, such "
                f"as timm:vit_small_patch16_224.dino=dino_deitsmall16_pretrain.pth; got {text!r}"
            )
        if family == "pixels" and (model != PIXELS or file):
            raise UsageError(f"pixels are pixels:{PIXELS}, without a file; got {text!r}")
        return cls(family, model, Path(file).expanduser() if file else None)

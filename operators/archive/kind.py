"""What all frames of an archive have in common. Importable without torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from operators.archive.layout import FORMAT, Layout


@dataclass(frozen=True, slots=True)
class Kind:
    """All that can change a bit of what is kept, but the frames.

    Attributes:
        layout: what is kept of each.
        basis: sha256 of the file.
        model: the backbone's architecture.
        backbone: sha256 of its weights.
        computed: what computed the features, as variants name it.
    """

    layout: Layout
    basis: str
    model: str
    backbone: str
    computed: str

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> Self:
        """What `to_json` gave."""
        return cls(**{**said, "layout": Layout.from_json(said["layout"])})

    def to_json(self) -> dict[str, Any]:
        """JSON values."""
        own = {name: getattr(self, name) for name in self.__slots__}
        return own | {"layout": self.layout.to_json()}

    @property
    def identity(self) -> str:
        """For variants."""
        kept = self.layout
        return (
            f"kept {FORMAT}: {kept.components} components of {', '.join(kept.maps)}, int8, basis "
            f"{self.basis[:12]}; computed by {self.computed}"
        )

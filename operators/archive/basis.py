"""The basis that patches are kept in: directions of each map, a head file of their own.

A file in -> means and directions, held to the backbone that they were fitted on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import torch
from torch import Tensor

from operators.archive.basis_header import OPERATOR, basis_header
from operators.archive.layout import Layout
from operators.errors import WeightsError
from operators.learn.head_file import write_head
from operators.weights.checkpoint import read_tensors
from operators.weights.digest import sha256_file

_PARTS = ("mean", "into", "back")


@dataclass(frozen=True, slots=True)
class Directions:
    """Of one map.

    Attributes:
        mean: float32 `[D]`.
        into: float32 `[K, D]`: a patch less the mean times these are its components; those that
            count most come first.
        back: float32 `[K, D]`: components times these are a patch less the mean.
    """

    mean: Tensor
    into: Tensor
    back: Tensor

    def leading(self, components: int) -> Directions:
        """The same with the first of them alone."""
        own = (one[:components].contiguous() for one in (self.into, self.back))
        return Directions(self.mean, *own)

    def to(self, device: torch.device) -> Directions:
        """The same on a device."""
        return Directions(*(one.to(device) for one in (self.mean, self.into, self.back)))


@dataclass(frozen=True, slots=True)
class Basis:
    """Of one backbone.

    Attributes:
        source: the file's path, for texts.
        sha256: of the file.
        maps: name of a map (`Layout.maps`) -> its directions.
        facts: the header: backbone, model, components, short_side, sources, explained.
    """

    source: str
    sha256: str
    maps: Mapping[str, Directions]
    facts: Mapping[str, Any]

    @classmethod
    def read(cls, path: Path) -> Self:
        """
        Raises:
            WeightsError: there is none, or it is damaged, or something else.
        """
        header = basis_header(path)
        tensors = read_tensors(path)
        names = sorted(name.removesuffix(".mean") for name in tensors if name.endswith(".mean"))
        try:
            maps = {
                name: Directions(*(tensors[f"{name}.{part}"].float() for part in _PARTS))
                for name in names
            }
        except KeyError as missing:
            raise WeightsError(f"{path}: the basis lacks {missing}; fit it again") from None
        return cls(str(path), sha256_file(path), maps, header)

    @property
    def components(self) -> int:
        """Most that a map has."""
        return min(len(one.into) for one in self.maps.values())

    def check(self, backbone_sha256: str, model: str) -> None:
        """
        Raises:
            WeightsError: it was fitted on other weights.
        """
        if self.facts.get("backbone") != backbone_sha256:
            raise WeightsError(
                f"{self.source}: was fitted on the backbone {self.facts.get('model')} with sha256 "
                f"{self.facts.get('backbone')}, this run's is {model} with {backbone_sha256}; give "
                "the backbone it belongs to with --weights, or fit another basis"
            )

    def chosen(self, layout: Layout) -> dict[str, Directions]:
        """The directions that a layout takes, by the names of its maps.

        Raises:
            WeightsError: it has no such map, or fewer components.
        """
        lacking = [name for name in layout.maps if name not in self.maps]
        if lacking:
            raise WeightsError(
                f"{self.source}: the basis has {', '.join(self.maps)}, and the heads of this run "
                f"read {', '.join(lacking)} too; fit it again with the same heads"
            )
        if layout.components > self.components:
            raise WeightsError(
                f"{self.source}: the basis has {self.components} components, {layout.components} "
                "are asked for; fit it again with more, or ask for fewer"
            )
        return {name: self.maps[name].leading(layout.components) for name in layout.maps}


def write_basis(path: Path, maps: Mapping[str, Directions], facts: Mapping[str, Any]) -> str:
    """Write a basis, whole or not at all.

    Args:
        path: where to, `.safetensors`.
        maps: by the names of `Layout.maps`.
        facts: its header; `backbone` at least.

    Returns:
        sha256 of the file.

    Raises:
        OSError: it cannot be written.
    """
    tensors = {
        f"{name}.{part}": getattr(one, part) for name, one in maps.items() for part in _PARTS
    }
    return write_head(path, OPERATOR, tensors, facts)

"""Fits the basis that features are kept in: footage -> a head file.

A job's own engine computes what its heads read; principal components of that are the basis.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from operators.archive.basis import Directions, write_basis
from operators.archive.compression import read_maps
from operators.archive.layout import FINAL, Layout, block_name
from operators.archive.moments import Moments
from operators.backbones.backbone import Backbone
from operators.errors import UsageError
from operators.frames import Features, FrameBatch
from operators.operator import Operator
from pipeline.configuration.config import Config
from pipeline.configuration.streams import stream_specs
from pipeline.engine.assembly import assemble
from pipeline.errors import SinkError, SourceError
from pipeline.features.clip import is_scene
from pipeline.features.footage import Footage
from pipeline.fit.fitting import Tell
from pipeline.fit.provenance import provenance_facts
from pipeline.media.scaler import FILTER_NAME
from pipeline.stream.chunk import End, Frames
from pipeline.stream.spec import StreamSpec


@dataclass(frozen=True, slots=True)
class BasisPlan:
    """What is wanted.

    Attributes:
        out: the file to write.
        components: K, numbers that are kept of a patch.
        frames: most that are looked at, the first ones of each source.
    """

    out: Path
    components: int
    frames: int


@dataclass(frozen=True, slots=True)
class BasisReport:
    """What was found.

    Attributes:
        path: the file.
        sha256: of it.
        frames, patches: that were looked at.
        explained: name of a map -> share of its variance that lies along the basis.
        frame_bytes: that a frame takes at most, of the last size that was seen: what is kept is
            deflated.
        failed: stream -> why frames of it could not be looked at.
    """

    path: Path
    sha256: str
    frames: int
    patches: int
    explained: dict[str, float]
    frame_bytes: int
    failed: dict[str, str]

    def to_json(self) -> dict[str, Any]:
        """JSON values."""
        own = {name: getattr(self, name) for name in self.__slots__}
        return own | {"path": str(self.path)}

    def text(self) -> str:
        """For people."""
        shares = ", ".join(f"{name} {share:.2%}" for name, share in self.explained.items())
        told = (
            f"{self.path}: of {self.frames} frames with {self.patches} patches; variance that is "
            f"kept: {shares}; at most {self.frame_bytes / 1000:.1f} kB per frame"
        )
        lines = (
            f"{stream}: {why}; what can be decoded is used" for stream, why in self.failed.items()
        )
        return "\n".join([told, *lines])


def fit_features(config: Config, plan: BasisPlan, *, tell: Tell) -> BasisReport:
    """Fit a basis for a job and write it.

    Args:
        config: of the job: its sources are looked at, and what its heads read is kept.
        plan: how.
        tell: told how far it is.

    Raises:
        UsageError: too few patches for so many components, or a job that cannot be.
        SourceError: no frame can be decoded.
        SinkError: the file cannot be written.
    """
    specs = stream_specs(config, live=False)
    assembly = assemble(config)
    backbone = assembly.engine.backbone
    if not isinstance(backbone, Backbone):
        raise UsageError("a basis is fitted on footage, and these features were kept in one")
    with closing(assembly.engine):
        arch = backbone.loaded.model.architecture
        components = min(plan.components, arch.width)
        layout = Layout.of_model(backbone.blocks, arch, components)
        read = read_by_heads(assembly.operators.values(), layout, backbone)
        seen = _Seen(layout)
        seen.look(specs, backbone, plan.frames, tell=tell)
    if not seen.frames:
        told = (f"{stream}: {why}" for stream, why in seen.failed.items())
        raise SourceError("; ".join(["no frame of these sources can be decoded", *told]))
    try:
        found = {name: one.directions(components, read[name]) for name, one in seen.moments.items()}
    except ValueError as error:
        raise UsageError(f"{error}; give more footage, or fewer --components") from error
    maps: dict[str, Directions] = {name: one for name, (one, _) in found.items()}
    explained = {name: round(share, 6) for name, (_, share) in found.items()}
    facts = {
        "backbone": backbone.loaded.sha256,
        "model": arch.name,
        "components": components,
        "short_side": config.short_side,
        "filter": FILTER_NAME,
        "explained": explained,
        **seen.provenance,
    }
    try:
        sha256 = write_basis(plan.out, maps, facts)
    except OSError as error:
        raise SinkError(f"{plan.out}: cannot be written ({error.strerror or error})") from error
    frame_bytes = layout.frame_bytes(seen.grid_hw)
    return BasisReport(
        plan.out, sha256, seen.frames, seen.patches, explained, frame_bytes, seen.failed
    )


class _Seen:
    """What was looked at so far.

    Attributes:
        moments: of the patches of every map.
        frames: that were looked at.
        grid_hw: patches of the last one, down and across.
        failed: stream -> why frames of it could not be looked at.
    """

    def __init__(self, layout: Layout) -> None:
        self.moments = {name: Moments(layout.width) for name in layout.maps}
        self.frames, self.grid_hw = 0, (0, 0)
        self.failed: dict[str, str] = {}
        self._layout = layout
        self._used: dict[str, StreamSpec] = {}

    def look(self, specs: list[StreamSpec], backbone: Backbone, most: int, *, tell: Tell) -> None:
        """At so many frames in all, the first ones of each stream."""
        each = max(1, most // len(specs))
        for spec, batch in _batches(specs, each, backbone.batch_size):
            if isinstance(batch, End):
                if batch.outcome in ("degraded", "rejected"):
                    self.failed[spec.stream] = batch.detail or batch.outcome
                continue
            self._add(backbone(batch))
            self._used[spec.stream] = spec
            tell(self.frames / (each * len(specs)), f"{spec.stream}, {self.frames} frames")

    def _add(self, features: Features) -> None:
        for row in range(len(features.infos)):
            seen = read_maps(features, self._layout, slice(row, row + 1))
            for name, (patches, _) in seen.items():
                self.moments[name].add(patches)
        self.frames += len(features.infos)
        _, high, wide, _ = features.patches.shape
        self.grid_hw = (high, wide)

    @property
    def patches(self) -> int:
        """Of each map."""
        return next(iter(self.moments.values())).count

    @property
    def provenance(self) -> dict[str, Any]:
        """What it was, for a header."""
        return provenance_facts(
            (one.session for one in self._used.values()),
            rendered=all(is_scene(one.url) for one in self._used.values()),
        )


def read_by_heads(
    operators: Iterable[Operator], layout: Layout, backbone: Backbone
) -> dict[str, list[Tensor]]:
    """Name of a map -> what heads multiply its patches with. What comes after the final norm is of
    the last block as that is kept before it, times the norm's gains; each patch is divided by its
    own deviation, which changes no direction."""
    read: dict[str, list[Tensor]] = {name: [] for name in layout.maps}
    for one in operators:
        for block, weights in one.patch_weights().items():
            if block is not None:
                read[block_name(block)].append(weights)
            elif layout.final:
                read[FINAL].append(weights)
            else:
                gains = backbone.norm.weight.detach()
                read[layout.maps[-1]].append(weights * gains)
    return read


def _batches(
    specs: list[StreamSpec], most: int, size: int
) -> Iterator[tuple[StreamSpec, FrameBatch | End]]:
    """The first frames of each stream, as a backbone takes them, and how it ended."""
    with closing(Footage()) as footage:
        for spec in specs:
            left = most
            for entry in footage.entries(spec):
                if isinstance(entry, End):
                    yield spec, entry
                if not isinstance(entry, Frames) or not left:
                    continue
                wanted = min(left, len(entry.infos))
                for begin in range(0, wanted, size):
                    rows = slice(begin, min(begin + size, wanted))
                    yield spec, FrameBatch(entry.infos[rows], entry.pixels[rows])
                left -= wanted
                if not left:
                    footage.stop(spec)

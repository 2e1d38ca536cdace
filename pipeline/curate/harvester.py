"""Recordings, one after the other -> the candidates of each, seen by one backbone.

Runs in the process that owns the device: the command's own, or one of several workers.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import asdict

import numpy as np
from numpy.typing import NDArray

from operators.backbones.architectures import architecture
from operators.errors import UsageError
from operators.groups.grid import Units
from operators.jpeg import jpeg
from operators.pictures.operator import picture_hw
from operators.weights.load import load_backbone
from pipeline.configuration.source_plan import SourcePlan
from pipeline.curate.harvest import Candidate, Harvest
from pipeline.curate.hiding import Hiding, finder
from pipeline.curate.setup import QUALITY, Setup
from pipeline.dedupe.looking import Looking
from pipeline.engine.assembly import computation_of
from pipeline.features.backbone import feature_backbone
from pipeline.features.footage import Footage
from pipeline.features.takes import Take
from pipeline.features.taking import Taking, Tell, shot_spec
from pipeline.secrets import mask_url
from pipeline.stream.spec import StreamSpec

TOGETHER = 16  # pictures that are looked at at once


def _untold(share: float | None) -> None:
    """Nobody listens."""


class Harvester:
    """Finds candidates. `close` it.

    Attributes:
        setup: what decides them.
        computed: what computes here, with all of it that can change a bit.
        look: pictures -> vectors.
    """

    def __init__(self, setup: Setup, computed: Mapping[str, str] | None = None) -> None:
        """
        Args:
            setup: what decides them.
            computed: what has to compute; None: what this machine has.

        Raises:
            UsageError: weights or a head that cannot be had, a class that nothing finds, or
                something else computes here.
        """
        self.setup = setup
        loaded = load_backbone(architecture(setup.model), setup.weights, seed=setup.seed)
        found = None
        if setup.blur:
            found = finder(loaded, setup.weights, seed=setup.seed, heads=setup.heads)
        with ExitStack() as stack:
            backbone = feature_backbone(
                loaded,
                threads=setup.threads,
                backend=setup.backend,
                blocks=found.layers if found else (),
            )
            stack.callback(backbone.close)
            self.computed: dict[str, str] = asdict(computation_of(backbone))
            if computed is not None:
                _require_alike(self.computed, computed)
            self.look = Looking(backbone, setup.short_side)
            self._width = loaded.model.architecture.width
            self._hide = found and Hiding(backbone, found, setup.blur, setup.frame_size)
            self._footage = Footage()
            stack.callback(self._footage.close)
            self._opened = stack.pop_all()

    def prepare(self, plan: SourcePlan) -> None:
        """Begin to decode what comes next."""
        self._footage.prepare(self._spec(plan))

    def __call__(self, plan: SourcePlan, tell: Tell = _untold) -> Harvest:
        """The candidates of a recording; one that cannot be read has none, and says why.

        Args:
            plan: of it.
            tell: hears how far it is.
        """
        seen = _Seen(self._width)
        taking = Taking(self._footage, self._spec(plan), self.setup.every_s)
        for take in taking.takes(tell):
            self._take(seen, take)
        self._look(seen)
        end = taking.end
        return Harvest(
            plan.stream,
            mask_url(plan.url),
            end.outcome,
            end.detail,
            end.unfinished or end.outcome == "rejected",
            taking.counted,
            tuple(seen.candidates),
            seen.units,
        )

    def close(self) -> None:
        """Free the device, and end the decoders."""
        self._opened.close()

    def _take(self, seen: _Seen, take: Take) -> None:
        seen.candidates.append(self._candidate(take))
        seen.unseen.append(take.pixels)
        if len(seen.unseen) == TOGETHER:
            self._look(seen)

    def _candidate(self, take: Take) -> Candidate:
        info, pixels = take.info, take.pixels
        size_hw = picture_hw(info.source_hw, pixels.shape[:2], self.setup.side)
        shown = self._hide(pixels) if self._hide else pixels
        data = jpeg(shown, size_hw, QUALITY)
        return Candidate(info.session, info.position, info.event_time_us, data)

    def _look(self, seen: _Seen) -> None:
        if seen.unseen:
            seen.vectors.append(self.look(seen.unseen))
            seen.unseen.clear()

    def _spec(self, plan: SourcePlan) -> StreamSpec:
        return shot_spec(plan, self.setup.picture_size, self.setup.fps)


def _require_alike(own: Mapping[str, str], wanted: Mapping[str, str]) -> None:
    """
    Raises:
        UsageError: they differ.
    """
    other = [name for name in wanted if own.get(name) != wanted[name]]
    if other:
        raise UsageError(
            f"a worker computes with {', '.join(own.get(name, '') for name in other)}, the command "
            f"with {', '.join(wanted[name] for name in other)}: their vectors differ; take workers "
            "on machines of one kind with this one, or read here alone with --workers 1"
        )


class _Seen:
    """So far, of one recording."""

    def __init__(self, width: int) -> None:
        self.candidates: list[Candidate] = []
        self.unseen: list[NDArray[np.uint8]] = []
        self.vectors: list[Units] = [np.zeros((0, width), np.float32)]

    @property
    def units(self) -> Units:
        """Float32 `[n, D]`."""
        return np.concatenate(self.vectors)

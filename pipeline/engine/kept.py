"""Kept features in an engine: what keeps them, and what takes the backbone's place to read them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch

from operators.archive.backbone import KeptBackbone
from operators.archive.basis import Basis
from operators.archive.kind import Kind
from operators.archive.layout import Layout
from operators.backbones.backbone import Backbone
from operators.backbones.engines.choice import choose_engine
from operators.backbones.loaded import LoadedBackbone
from operators.backbones.machine import this_machine
from operators.backbones.precision import Precision
from operators.backbones.start import BATCHES
from operators.errors import UsageError
from operators.operator import Operator
from operators.variant import Computation
from pipeline.archive.archive import Archive
from pipeline.archive.keeping import Keeping, Owner
from pipeline.configuration.config import Config
from pipeline.configuration.kept import kind_of
from pipeline.engine.placement import Placement
from pipeline.errors import SinkError
from pipeline.stream.spec import StreamSpec


def kept_backbone(
    config: Config, loaded: LoadedBackbone, operators: Mapping[str, Operator]
) -> KeptBackbone | None:
    """What gives a job its features that reads archives; None of any other job.

    Args:
        config: of the job.
        loaded: the weights that it names.
        operators: by their keys, those that run.

    Raises:
        UsageError: an operator needs what was not kept, or the archives are of other weights, or
            of several kinds.
    """
    found = kind_of(config)
    if found is None:
        return None
    archive, kind = found
    _refuse_pixels(operators)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    machine = this_machine()
    return KeptBackbone(
        loaded,
        kind,
        Basis.read(archive.basis(kind)),
        blocks=[block for one in operators.values() for block in one.layers],
        batch_size=config.batch_size or BATCHES[device.type],
        threads=config.threads or machine.cores,
        device=device,
        choice=choose_engine(config.backend, device, machine, Precision(config.heads_precision)),
    )


def keeping_of(
    config: Config, backbone: Backbone | KeptBackbone, computation: Computation
) -> Keeping | None:
    """What keeps the features of a job; None where nothing does.

    Args:
        config: of the job.
        backbone: whose features; it holds the blocks that the job's heads read.
        computation: what computes them.

    Raises:
        WeightsError: the basis is of other weights, or lacks what the heads read.
        SinkError: the folder cannot be written.
    """
    wanted = config.features
    if wanted is None:
        return None
    if isinstance(backbone, KeptBackbone):
        raise UsageError(
            "features: what is kept already is not kept again; leave --keep-features out"
        )
    loaded, path = backbone.loaded, Path(wanted.basis)
    arch = loaded.model.architecture
    basis = Basis.read(path)
    basis.check(loaded.sha256, arch.name)
    layout = Layout.of_model(backbone.blocks, arch, wanted.components or basis.components)
    computed = f"{computation.engine}, {computation.dtype}, {computation.device}"
    kind = Kind(layout, basis.sha256, arch.name, loaded.sha256, computed)
    archive = Archive(Path(wanted.dir))
    keeping = Keeping(archive, kind, basis)
    try:
        archive.keep_basis(path, kind)
    except OSError as error:
        raise SinkError(
            f"features cannot be kept in {archive.root}: {error.strerror or error}"
        ) from error
    return keeping


def kept_placement(keeping: Keeping, spec: StreamSpec, job: str) -> Placement:
    """What keeps features, on a stream that is about to be opened: it takes every frame."""
    rules = tuple(rule.canonical() for rule in spec.samplings)
    keeping.own(spec.stream, Owner(job, rules, spec.short_side, spec.gate))
    return Placement(keeping, spec.samplings[0], None, {})


def _refuse_pixels(operators: Mapping[str, Operator]) -> None:
    seeing = [key for key, one in operators.items() if one.sees_pixels]
    if seeing:
        raise UsageError(
            f"{', '.join(seeing)} looks at pixels, and features alone were kept; leave that out "
            "with --operator, or replay the footage"
        )

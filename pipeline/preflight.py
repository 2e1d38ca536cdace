"""What can be wrong with a job is looked for before anything of it starts: names, files, the sink.

A configuration in -> nothing, or the error that an engine would end with a minute later. Reads
headers, no weights, and knows no torch. Of a job on a cluster, files that are not here are left to
its engines.
"""

from __future__ import annotations

from pathlib import Path

from operators.archive.basis_header import basis_header
from operators.backbones.architectures import architecture
from operators.errors import UsageError, WeightsError
from operators.names import check_name, check_own, has_head, is_own
from operators.weights.backbone_choice import DEMO, RANDOM, backbone_file, require_weights
from operators.weights.head_needs import chosen_header, head_choice
from operators.weights.head_request import HeadRequest, MissingHead, none_runs
from operators.weights.header import read_header
from operators.weights.official_file import OfficialFile
from pipeline.calibrate.store import read_calibrations
from pipeline.configuration.config import Config, SinkConfig
from pipeline.configuration.kept import kind_of
from pipeline.runtime.address import LOCAL, cluster_address
from pipeline.sinks.spill.folder import SpillFolder
from pipeline.sinks.uri import check_sink


def check(config: Config) -> None:
    """
    Raises:
        UsageError: an unknown model, operator or head, a file that is damaged or not there, or a
            GPU that is to decode and cannot.
        SinkError: the sink cannot be written, or nobody listens there.
    """
    here = _runs_here(config)
    _check_decoder(config)
    _check_features(config, here=here)
    for name in config.operators:
        check_name(name)
        if here and is_own(name):
            check_own(name)
    check_heads(config)
    if config.calibrations is not None and (here or Path(config.calibrations).is_file()):
        read_calibrations(Path(config.calibrations))
    if here:
        _check_spill(config.sink)
    check_sink(config.sink.uri, settings=config.sink.settings)


def _check_features(config: Config, *, here: bool) -> None:
    """Features lie in a folder of this machine."""
    read = kind_of(config) is not None
    if (read or config.features) and not here:
        raise UsageError(
            "features are kept and read in a folder, which engines on other machines do not have; "
            "give --runtime inline, or --address local"
        )
    if read and config.deadletter_picture:
        raise UsageError("deadletter_picture: kept features have no pictures; leave it out")
    if config.features:
        basis_header(Path(config.features.basis))


def _check_decoder(config: Config) -> None:
    """A GPU that is to decode, whatever a stream turns out to be."""
    devices: dict[str, str | None] = {"decode": config.decode}
    devices |= {f"streams.{name}.decode": one.decode for name, one in config.streams.items()}
    place = next((place for place, device in devices.items() if device == "cuda"), None)
    if place is None:
        return
    if config.runtime != "inline":
        raise UsageError(
            f"{place}: cuda is of runtime: inline; Ray lends its GPUs to engines, and would not "
            "count what decoders take; give --runtime inline, or decode: cpu"
        )
    from pipeline.media.card import card_trouble  # which loads libav

    if trouble := card_trouble():
        raise UsageError(f"{place}: cuda: {trouble}; give decode: auto or cpu")


def _check_spill(sink: SinkConfig) -> None:
    """Of what somebody has asked for; without our own default a run does, and says so."""
    asked = sink.spill.folder is not None or sink.spill.max_gib
    if not (asked and sink.spill.most_bytes):
        return
    spill = SpillFolder.of(sink.uri, sink.spill.folder, sink.spill.most_bytes)
    if spill is None:
        raise UsageError(
            "sink.spill is of Kafka sinks: a database is on a disk as the spill would be; leave it "
            "out"
        )
    try:
        spill.make()
    except OSError as error:
        raise UsageError(
            f"sink.spill.folder: nothing can be kept in {spill.root}: {error.strerror}; name a "
            "folder of this user's own, or sink.spill.max_gib: 0 to keep nothing"
        ) from error


def _runs_here(config: Config) -> bool:
    return config.runtime == "inline" or cluster_address(config.address) == LOCAL


def check_heads(config: Config) -> None:
    """Of `check` what is about weights and heads: before whatever reads or fetches them.

    Raises:
        UsageError: an unknown model or head, or a file that is damaged or not there.
    """
    arch, here = architecture(config.model), _runs_here(config)
    weights = backbone_file(arch.name, config.weights)
    if isinstance(weights, Path) and (here or weights.is_file()):
        require_weights(weights)
        read_header(weights)
    sha256 = weights.sha256 if isinstance(weights, OfficialFile) else None
    missing = []
    for name in config.operators:
        choice = head_choice(name, config.heads, config.weights)
        seed = config.seed if config.weights == RANDOM else None
        request = HeadRequest(name, arch, sha256 or "", choice, seed)
        try:
            _check_head(request, config.weights, here=here)
        except MissingHead as error:
            missing.append(str(error))
    if len(missing) == len(config.operators):
        raise none_runs(missing)


def _check_head(request: HeadRequest, weights: str, *, here: bool) -> None:
    if not has_head(request.operator):
        request.refuse_head()
    elif request.choice == DEMO:
        _require_shipped(request.operator, weights)
    elif request.wants_random:
        return
    else:
        if here:
            request.require_file()
        request.file()
        chosen_header(request.operator, request.choice)


def _require_shipped(operator: str, weights: str) -> None:
    if weights != DEMO:
        raise WeightsError(
            f"--head {operator}=demo was trained on the demo weights and fits no others; give "
            f"--weights demo with it, or another head for --weights {weights}"
        )
    if chosen_header(operator, DEMO) is None:
        raise WeightsError(
            f"the demo weights have no head for {operator}; leave out --head {operator}=demo, or "
            f"give one with --head {operator}=PATH"
        )

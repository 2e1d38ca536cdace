"""What a node has for a job: engine, files, operators and the way to the sink. Runs on the node.

A configuration in -> facts out, and no opinion of them. Reads weights to hash them, and fetches
none.
"""

from __future__ import annotations

import importlib.metadata
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from operators.backbones.architectures import DEMO_MODEL, architecture
from operators.backbones.machine import Machine, this_machine
from operators.errors import DinostreamError
from operators.names import check_own, is_own
from operators.weights.digest import sha256_files
from operators.weights.official_file import OfficialFile
from pipeline.configuration.config import Config, SinkConfig
from pipeline.configuration.files import named_files, place_of
from pipeline.doctor import check_layout, size_text
from pipeline.sinks.address import SqliteAddress, parse_sink_uri
from pipeline.sinks.uri import check_sink, open_reader, sink_name

T = TypeVar("T")

SHARED_MEMORY = Path("/dev/shm")
LAYOUT, COMPUTES, FILES, OPERATORS, SINK = "layout", "computes", "files", "operators", "sink"


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file that an engine reads.

    Attributes:
        path: where it is looked for.
        sha256: hex; None: there is no file.
        official: what it is, where an engine that does not find it fetches it.
    """

    path: str
    sha256: str | None
    official: OfficialFile | None = None


@dataclass(frozen=True, slots=True)
class Examination:
    """What was found.

    Attributes:
        folder: where dinostream lies.
        machine: processor, cores, memory.
        shared_memory_bytes: of /dev/shm; None where there is none.
        gpus: those that torch can use.
        computes: all that is known of what would compute; records of another are of another
            variant. "" where it could not be found out.
        files: weights, heads and calibrations, by their keys in the configuration.
        sink: what answered; "" where none was asked.
        trouble: what could not be looked at, or was wrong -> why.
    """

    folder: str
    machine: Machine
    shared_memory_bytes: int | None
    gpus: tuple[str, ...]
    computes: str
    files: Mapping[str, FoundFile]
    sink: str
    trouble: Mapping[str, str]


def examine(config: Config | None) -> Examination:
    """Look at everything that the configuration needs; without one, at the node alone."""
    trouble: dict[str, str] = {}

    def tried(name: str, probe: Callable[[], T], otherwise: T) -> T:
        try:
            return probe()
        except DinostreamError as error:
            trouble[name] = str(error)
        except Exception as error:  # a broken library is a finding like any other
            first_line = (str(error).splitlines() or [""])[0]
            trouble[name] = f"{type(error).__name__}: {first_line}"
        return otherwise

    tried(LAYOUT, check_layout, None)
    gpus: tuple[str, ...] = ()
    files: Mapping[str, FoundFile] = {}
    sink = ""
    gpus = tried(COMPUTES, _gpus, gpus)
    computes = tried(COMPUTES, lambda: _computes(config), "")
    if config is not None:
        tried(OPERATORS, lambda: _check_operators(config), None)
        files = tried(FILES, lambda: find_files(config), files)
        if not is_with_driver(config.sink):
            sink = tried(SINK, lambda: reach_sink(config.sink), sink)
    folder, machine = str(Path(__file__).resolve().parents[2]), this_machine()
    return Examination(
        folder, machine, _shared_memory_bytes(), gpus, computes, files, sink, trouble
    )


def find_files(config: Config) -> dict[str, FoundFile]:
    """The files that engines of a configuration read, by their keys, and what lies there on this
    machine.

    Raises:
        WeightsError: weights or a head of that name do not exist, or a file cannot be read.
    """
    named = {key: (file, place_of(file)) for key, file in named_files(config).items()}
    hashes = sha256_files(path for _, path in named.values() if path.is_file())
    return {
        key: FoundFile(
            str(path), hashes.get(path), file if isinstance(file, OfficialFile) else None
        )
        for key, (file, path) in named.items()
    }


def is_with_driver(sink: SinkConfig) -> bool:
    """Whether all of a job writes through the driver's node, because the sink is a file there."""
    return isinstance(parse_sink_uri(sink.uri), SqliteAddress)


def reach_sink(sink: SinkConfig) -> str:
    """Make sure that the sink can be had from this machine: that a file is ours or can be made,
    that a broker takes connections and, asked for topics, answers.

    Raises:
        UsageError: the address or the settings are wrong.
        SinkError: it cannot be had; each of the two steps ends after the time of one attempt.
    """
    check_sink(sink.uri, settings=sink.settings)
    name = sink_name(sink.uri)
    if is_with_driver(sink):
        return name
    reader = open_reader(sink.uri, settings=sink.settings)
    try:
        return f"{name} answers; it has {len(reader.topics())} topics of this prefix"
    finally:
        reader.close()


def _check_operators(config: Config) -> None:
    for name in filter(is_own, config.operators):
        check_own(name)


def _gpus() -> tuple[str, ...]:
    import torch

    found = map(torch.cuda.get_device_properties, range(torch.cuda.device_count()))
    return tuple(f"{gpu.name} with {size_text(gpu.total_memory)}" for gpu in found)


def _computes(config: Config | None) -> str:
    """As the identity of an engine here, without its weights. Imports all that an engine does."""
    import torch

    from kernels.attention import attention_path
    from operators.backbones.start import choose_for
    from pipeline.engine.assembly import device_kind

    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    arch = architecture(config.model if config else DEMO_MODEL)
    choice = choose_for(arch, config.backend if config else "auto", device, this_machine())
    ours = choice.name == "torch"  # whose own version tells builds for CPUs and GPUs apart
    version = torch.__version__ if ours else importlib.metadata.version("openvino")
    told = [f"{choice.name} {version}"]
    if device.type == "cuda":
        told.append(attention_path(device, arch.head_dim).name)
    return ", ".join([*told, str(choice.dtype).removeprefix("torch."), device_kind(device)])


def _shared_memory_bytes() -> int | None:
    try:
        facts = os.statvfs(SHARED_MEMORY)
    except OSError:
        return None
    return facts.f_blocks * facts.f_frsize

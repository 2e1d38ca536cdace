"""Files that a job's driver has and its engines need: weights, heads, calibrations.

An engine on another machine takes them over Ray's object store, piece by piece, keeps them in its
cache and verifies every byte by the hash that the driver's file has. Nothing else can be read so.
"""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import ray
from ray.actor import ActorHandle
from ray.exceptions import RayTaskError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from operators.errors import DinostreamError, WeightsError
from operators.weights.cache import alone, default_cache_dir
from operators.weights.digest import sha256_file, sha256_files
from pipeline.configuration.config import Config
from pipeline.configuration.files import NamedFile, files_of, with_files

log = logging.getLogger(__name__)

PIECE_BYTES = 16 << 20  # small beside an object store, and few calls for gigabytes
CARRIED = "carried"  # folder of the cache for what no catalogue names

Read = Callable[[str, int], bytes]


@dataclass(frozen=True, slots=True)
class Offer:
    """One file of the driver's."""

    file: NamedFile
    sha256: str
    size_bytes: int


class FileActor:
    """Reads them on the driver's node, for whoever knows their hashes."""

    def __init__(self, offers: Sequence[Offer]) -> None:
        self._paths = {offer.sha256: offer.file.path for offer in offers}

    def read(self, sha256: str, offset: int) -> bytes:
        """The piece that begins there.

        Raises:
            WeightsError: the file cannot be read any more.
        """
        path = self._paths[sha256]
        try:
            with path.open("rb") as file:
                file.seek(offset)
                return file.read(PIECE_BYTES)
        except OSError as error:
            raise WeightsError(f"{path}: {error.strerror}") from error


@dataclass(frozen=True, slots=True)
class Carrier:
    """What an engine is given: what there is, and whom to ask for it.

    Attributes:
        node: the driver's, where files are taken from where they lie.
    """

    offers: Sequence[Offer]
    actor: ActorHandle
    node: str

    def deliver(self, config: Config) -> Config:
        """The configuration with its files on this machine.

        Raises:
            WeightsError: a file changed or went while it came, or cannot be kept here.
        """
        here = ray.get_runtime_context().get_node_id() == self.node
        cache = default_cache_dir()
        paths = {
            one.file.key: one.file.path if here else keep(one, self._read, cache)
            for one in self.offers
        }
        official = {one.file.key for one in self.offers if one.file.official}
        return with_files(config, {key: paths[key] for key in paths.keys() - official})

    def _read(self, sha256: str, offset: int) -> bytes:
        try:
            return cast(bytes, ray.get(self.actor.read.remote(sha256, offset)))
        except RayTaskError as error:
            if isinstance(error.cause, DinostreamError):
                raise error.cause from None
            raise


def carrier(config: Config) -> Carrier | None:
    """Offer the files of this machine that a configuration names; None where it names none.

    Raises:
        WeightsError: weights or a head of that name do not exist, or a file cannot be read.
    """
    if not (files := files_of(config)):
        return None
    hashes = sha256_files(file.path for file in files)
    offers = [Offer(file, hashes[file.path], file.path.stat().st_size) for file in files]
    node = ray.get_runtime_context().get_node_id()
    here = NodeAffinitySchedulingStrategy(node, soft=False)
    actor = ray.remote(num_cpus=0, max_restarts=-1, scheduling_strategy=here)(FileActor)
    return Carrier(offers, actor.remote(offers), node)


def keep(offer: Offer, read: Read, cache: Path) -> Path:
    """A file in the cache of this machine, brought there first where it is not there yet.

    Args:
        offer: which.
        read: hash and offset -> the piece that begins there, empty at the end.
        cache: folder that is made if need be.

    Raises:
        WeightsError: it cannot be read or written, or is not the same any more.
    """
    name = offer.file.path.name
    official = offer.file.official
    path = cache / name if official else cache / CARRIED / f"{offer.sha256[:16]}-{name}"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with alone(path):
            # An official one is verified by whoever loads it, who knows what it must be.
            if not (path.is_file() and (official or sha256_file(path) == offer.sha256)):
                _bring(offer, read, path)
    except OSError as error:
        raise WeightsError(f"{error.filename or path}: {error.strerror or error}") from error
    return path


def _bring(offer: Offer, read: Read, path: Path) -> None:
    log.info("%s: %d MB from the driver", path, offer.size_bytes // 1_000_000)
    part, digest, done = path.with_name(f"{path.name}.part"), hashlib.sha256(), 0
    try:
        with part.open("wb") as out:
            while piece := read(offer.sha256, done):
                out.write(piece)
                digest.update(piece)
                done += len(piece)
            out.flush()
            os.fsync(out.fileno())
        if digest.hexdigest() != offer.sha256:
            raise WeightsError(
                f"{offer.file.path}: changed on the driver's machine since the job began; start it "
                "again"
            )
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)

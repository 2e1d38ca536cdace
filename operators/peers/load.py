"""A peer's name -> its model with weights in it -> a backbone that runs wherever ours does."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import cast

import torch

from operators.backbones.backbone import Backbone
from operators.backbones.engines.choice import EXACT
from operators.backbones.loaded import LoadedBackbone
from operators.backbones.machine import this_machine
from operators.backbones.random_weights import drawn_tensors
from operators.backbones.start import BATCHES
from operators.backbones.vit import VisionTransformer
from operators.errors import WeightsError
from operators.peers.engine import PeerEngine
from operators.peers.library import published_statistics, require_model, timm_vit
from operators.peers.name import PeerName
from operators.peers.peer import Peer
from operators.peers.pixels import PixelCells
from operators.peers.recipe import recipe_of
from operators.peers.timm_vit import TimmVit
from operators.peers.weights import published_tensors
from operators.weights.checkpoint import sha256_tensors
from operators.weights.digest import sha256_file

log = logging.getLogger(__name__)

LoadedPeer = tuple[Peer, LoadedBackbone]


def check_peer(name: PeerName) -> None:
    """Look at what can be told before anything is computed.

    Raises:
        UsageError: timm is not installed, or has no such model; or there is no such file.
    """
    if name.family == "pixels":
        return
    recipe = recipe_of(name)
    if name.file and not name.file.is_file():
        raise WeightsError(f"{name.file}: no such weights file, for {name}")
    require_model(recipe.timm)


def load_peer(name: PeerName, *, seed: int = 0) -> LoadedPeer:
    """The model, and what our backbone is told of it.

    Args:
        name: which, and the file of its weights.
        seed: of random weights, where it has no file.

    Raises:
        UsageError: timm is not installed, or has no such model.
        WeightsError: no such file, damaged, refused, or of another model.
    """
    check_peer(name)
    if name.family == "pixels":
        return _loaded(PixelCells(str(name)), "0" * 64, False, "none")
    recipe = recipe_of(name)
    model = timm_vit(recipe.timm)
    statistics = recipe.statistics or published_statistics(recipe.timm)
    if name.file is None:
        log.warning("%s runs with RANDOM weights (seed %d): a floor, no peer", name, seed)
        tensors = drawn_tensors(model.state_dict(), seed)
        sha256, source = sha256_tensors(tensors), f"random (seed {seed})"
    else:
        tensors = published_tensors(name.file, model)
        sha256, source = sha256_file(name.file), str(name.file)
    peer = TimmVit(str(name), model, tensors, statistics)
    return _loaded(peer, sha256, name.file is None, source)


def start_peer(
    loaded: LoadedPeer, *, blocks: Sequence[int], threads: int | None = None
) -> Backbone:
    """Put it on the best device that this machine has; close it in the end.

    Args:
        loaded: from `load_peer`.
        blocks: whose output its features shall hold.
        threads: of a CPU; one per core where None.
    """
    peer, known = loaded
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    batch_size = BATCHES[device.type]
    return Backbone(
        known,
        blocks=blocks,
        batch_size=batch_size,
        threads=threads or this_machine().cores,
        device=device,
        choice=EXACT,
        engine=PeerEngine(peer, sorted(set(blocks)), device, batch_size=batch_size),
    )


def _loaded(peer: Peer, sha256: str, untrained: bool, source: str) -> LoadedPeer:
    # A backbone with an engine of its own asks its model for sizes, the norm and a pass alone.
    model = cast("VisionTransformer", peer)
    return peer, LoadedBackbone(model, sha256, untrained, source)

"""What an engine's rounding costs: its tokens beside those of the plain model in float32.

An engine, its model and the name of its weights in -> a line in the log out, or a refusal.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

import torch

from operators.backbones.engines.drawn_frames import drawn_frames
from operators.backbones.engines.engine import BackboneEngine
from operators.backbones.engines.ranges import SIDE
from operators.backbones.preprocess import normalise
from operators.backbones.vit import VisionTransformer
from operators.errors import UsageError

log = logging.getLogger(__name__)

# Cosine of tokens, the mean: below it a warning, a refusal. On the demo weights a twentieth of
# the pixels has another class at the first, a sixth or more at the second (docs/backends.md).
WANTED, LEAST = 0.999, 0.995
_SEED, _FRAMES = 1, 4  # not the frames that ranges are measured on


@dataclass(frozen=True, slots=True)
class Closeness:
    """Cosines of an engine's tokens to the plain model's.

    Attributes:
        mean: over all tokens of all frames.
        worst: of a single token.
        frames: how many there were.
    """

    mean: float
    worst: float
    frames: int


@torch.inference_mode()
def closeness(engine: BackboneEngine, vit: VisionTransformer) -> Closeness:
    """Compare them on drawn frames.

    Args:
        engine: ready to compute.
        vit: float32, on the CPU: the model that it was built from.
    """
    frames = torch.from_numpy(drawn_frames(_SEED, _FRAMES, SIDE * vit.architecture.patch))
    by = vit.architecture.statistics
    single = (frames[row : row + 1] for row in range(len(frames)))
    pairs = ((engine(one)[0], vit(normalise(one, torch.float32, by))[0]) for one in single)
    cosines = torch.cat([torch.cosine_similarity(got, want, dim=2) for got, want in pairs])
    return Closeness(cosines.mean().item(), cosines.min().item(), len(frames))


def check_int8(engine: BackboneEngine, vit: VisionTransformer, weights: str) -> None:
    """Say how close int8 comes with these weights.

    Args:
        engine: computes in int8.
        vit: float32, on the CPU: the model that it was built from.
        weights: their name.

    Raises:
        UsageError: so far off that what is read out of the tokens would be in doubt.
    """
    found = closeness(engine, vit)
    said = (
        f"int8: cosine {found.mean:.5f} of tokens to float32 (worst token {found.worst:.4f}), "
        f"measured on {weights}, {found.frames} drawn frames"
    )
    if not found.mean >= LEAST:  # which no number is not, either
        raise UsageError(f"{said}; below {LEAST} it is refused: take --backend openvino")
    log.log(logging.INFO if found.mean >= WANTED else logging.WARNING, said)

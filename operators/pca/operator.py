"""What the backbone sees, as colours: three principal components of a frame's patches.

Features in -> an RGB PNG out. The first component over the whole picture tells the foreground
from the background, which is black; three further ones over the foreground are red, green and blue
(Oquab et al., DINOv2, section 7.5). The axes follow each stream, so its colours do not flicker.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import interpolate

from operators.backbones.thread_pool import stay_on_one_core
from operators.finite import require_finite
from operators.format import BUILT_IN
from operators.frames import Features, FrameInfo
from operators.operator import StreamOperator
from operators.pca.axes import Axes, first_axes, next_axes
from operators.png import rgb_png
from operators.result import PNG, Result, canonical_json
from operators.settings import Settings
from operators.weights.head_request import HeadRequest

MAP_SCALE = 4
MEMORY = 25  # frames: five seconds at the default sampling
BACKGROUNDS = ("black", "coloured")
COMPONENTS = 3

_FORMAT = 1
_DTYPE = "<f4"
_SPAN = 2.0  # standard deviations from the middle of a colour's range to its ends
_EDGE = 0.25  # the same for the border between foreground and background, which is soft


@dataclass(frozen=True, slots=True)
class Memory:
    """What is remembered of a stream: the axis of the foreground, and those of the colours."""

    ground: Axes
    colours: Axes


class Pca(StreamOperator):
    """Principal components of every frame's patches as a picture."""

    name = "pca"
    topics = BUILT_IN["pca"]

    def __init__(
        self, *, map_scale: int = MAP_SCALE, memory: int = MEMORY, background: str = BACKGROUNDS[0]
    ) -> None:
        """
        Args:
            map_scale: pixels of the picture per side of a patch.
            memory: over how many frames the axes follow what a stream shows.
            background: `black`, or `coloured` where all of the picture is of interest.
        """
        self._map_scale = map_scale
        self._rate = 1.0 / memory
        self._background = background
        self._memory: dict[str, Memory] = {}
        self._device = torch.device("cpu")

    def settings(self) -> Mapping[str, Any]:
        return {
            "map_scale": self._map_scale,
            "memory": round(1 / self._rate),
            "background": self._background,
        }

    def load(self, device: torch.device, dtype: torch.dtype) -> None:
        """Has no weights; axes lie where the features do."""
        self._device = device

    def __call__(self, features: Features) -> list[Result]:
        if features.patches.device.type == "cpu":
            stay_on_one_core()
        count = len(features.infos)
        sums = features.patches[:count].float().sum(dim=(1, 2, 3)).cpu().numpy()
        for info, total in zip(features.infos, sums, strict=True):
            require_finite(total, info, operator=self.name)
        planes = [self._follow(features, row) for row in range(count)]
        return features.each(
            lambda row: Result(
                features.infos[row], self.name, PNG, rgb_png(self._picture(planes[row]))
            )
        )

    def repeat(self, info: FrameInfo) -> list[Result]:
        """The picture holds; the axes follow what is computed."""
        return []

    def reset(self, stream: str, reason: str) -> list[Result]:
        self._memory.pop(stream, None)
        return []

    def snapshot(self, stream: str) -> bytes:
        """A line of JSON, then the axes as little-endian float32: 6 vectors and 4 numbers."""
        memory = self._memory.get(stream)
        width = len(memory.ground.mean) if memory else 0
        parts = [*memory.ground.parts(), *memory.colours.parts()] if memory else []
        header = canonical_json({"format": _FORMAT, "width": width})
        return header + b"\n" + b"".join(part.astype(_DTYPE).tobytes() for part in parts)

    def restore(self, stream: str, state: bytes) -> None:
        line, _, rest = state.partition(b"\n")
        try:
            header = json.loads(line)
            got, width = header["format"], header["width"]
            numbers = np.frombuffer(rest, dtype=_DTYPE)
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"the state of pca is damaged: {error!r}") from error
        if got != _FORMAT or len(numbers) != (6 * width + 1 + COMPONENTS if width else 0):
            raise ValueError(
                f"the state of pca has format {got} and {len(numbers)} numbers for width {width}; "
                f"format {_FORMAT} is known"
            )
        self._memory.pop(stream, None)
        if width:
            ground, colours = numbers[: 2 * width + 1], numbers[2 * width + 1 :]
            self._memory[stream] = Memory(
                Axes.of_numbers(ground, 1).to(self._device),
                Axes.of_numbers(colours, COMPONENTS).to(self._device),
            )

    @torch.inference_mode()
    def _follow(self, features: Features, row: int) -> Tensor:
        """Move the stream's axes on by a frame; its place along them, float32 `[4, h, w]`.

        Plane 0 is how much of each patch is foreground, planes 1 to 3 are red, green and blue;
        all want clamping to 0 to 1. Frames are done one at a time: batch mates change nothing.
        """
        patches = features.patches[row].float()
        h, w, width = patches.shape
        points = patches.reshape(h * w, width)
        stream = features.infos[row].stream
        before = self._memory.get(stream)
        everywhere = torch.ones_like(points[:, 0])
        if before:
            ground = next_axes(before.ground, points, everywhere, self._rate)
        else:
            ground = _outward(first_axes(points, everywhere, 1), points, (h, w))
        front = 0.5 + ground.coordinates(points)[:, 0] / (2 * _EDGE)
        if self._background == "coloured":
            front = everywhere
        weights = front.clamp(0, 1)
        if before:
            colours = next_axes(before.colours, points, weights, self._rate)
        else:
            colours = first_axes(points, weights, COMPONENTS)
        self._memory[stream] = Memory(ground, colours)
        channels = 0.5 + colours.coordinates(points) / (2 * _SPAN)
        return torch.cat([front[:, None], channels], dim=1).T.reshape(1 + COMPONENTS, h, w)

    @torch.inference_mode()
    def _picture(self, planes: Tensor) -> NDArray[np.uint8]:
        fine = interpolate(
            planes[None], scale_factor=self._map_scale, mode="bilinear", align_corners=False
        )[0].clamp_(0, 1)
        rgb = (fine[:1] * fine[1:] * 255).round().to(torch.uint8)
        return rgb.permute(1, 2, 0).cpu().contiguous().numpy()


def build_pca(settings: Mapping[str, Any], request: HeadRequest) -> Pca:
    """The principal components as a user configured them.

    Args:
        settings: `map_scale`, `memory` (frames), `background` (black or coloured).
        request: the backbone, whose patch bounds `map_scale`.

    Raises:
        UsageError: a setting does not do.
    """
    given = Settings("pca", settings, ("map_scale", "memory", "background"))
    return Pca(
        map_scale=given.whole("map_scale", MAP_SCALE, low=1, high=request.architecture.patch),
        memory=given.whole("memory", MEMORY, low=1, high=10_000),
        background=given.choice("background", BACKGROUNDS[0], BACKGROUNDS),
    )


def _outward(axes: Axes, points: Tensor, grid: tuple[int, int]) -> Axes:
    """The axis turned so that the picture's rim, where the background is, lies at its low end."""
    across = axes.coordinates(points)[:, 0].view(grid)
    rim = torch.cat([across[0], across[-1], across[:, 0], across[:, -1]])
    return axes.mirrored() if rim.mean() > 0 else axes

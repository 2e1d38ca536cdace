"""Scene URIs: `synthetic:room?seed=1&seconds=10&fps=30&size=640x360` <-> a checked SceneSpec.

Knows which scenes and parameters exist, and nothing of how they are drawn.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl

from operators.errors import UsageError

SCHEME = "synthetic:"
SCENES: tuple[str, ...] = ("room", "street", "world", "yard", "varied")
# Part of every canonical URI, so that a renderer that draws other pixels makes other sessions:
# raise it whenever any pixel of any scene changes.
RENDERER_VERSION = 1

_EXAMPLE = "synthetic:room?seed=1&seconds=10&fps=30&size=640x360"
_SIDE_PX = (16, 4096)
_FPS = (1, 240)
_LONGEST_S = 86_400.0
_LARGEST_SEED = 2**63 - 1
_BODIES, _MOST_BODIES = 6, 12
_SIZE_RULE = (
    f"WIDTHxHEIGHT, both even (so that it can be encoded) and from {_SIDE_PX[0]} to {_SIDE_PX[1]}"
)
_PARAMETERS: tuple[str, ...] = ("seed", "seconds", "fps", "size", "bodies", "version")


@dataclass(frozen=True, slots=True)
class SceneSpec:
    """What to render: everything that decides every pixel.

    `bodies`: how many may be under way at once in a yard; other scenes have no such number.
    """

    scene: str = "room"
    seed: int = 1
    seconds: float = 10.0
    fps: int = 30
    size_wh: tuple[int, int] = (640, 360)
    bodies: int = _BODIES
    version: int = RENDERER_VERSION

    def __post_init__(self) -> None:
        if self.scene not in SCENES:
            raise UsageError(_unknown("scene", self.scene, SCENES))
        if not 0 <= self.seed <= _LARGEST_SEED:
            raise UsageError(_wrong("seed", self.seed, f"an integer from 0 to {_LARGEST_SEED}"))
        if not _FPS[0] <= self.fps <= _FPS[1]:
            raise UsageError(_wrong("fps", self.fps, f"an integer from {_FPS[0]} to {_FPS[1]}"))
        if not 0.0 < self.seconds <= _LONGEST_S:
            raise UsageError(
                _wrong("seconds", self.seconds, f"a number above 0, up to {_LONGEST_S:.0f}")
            )
        if self.frame_count < 1:
            raise UsageError(
                _wrong("seconds", self.seconds, f"at least one frame, {1 / self.fps:.4f} s")
            )
        if not all(_SIDE_PX[0] <= side <= _SIDE_PX[1] and side % 2 == 0 for side in self.size_wh):
            raise UsageError(_wrong("size", _size_text(self.size_wh), _SIZE_RULE))
        if self.bodies != _BODIES and self.scene != "yard":
            raise UsageError(
                f"bodies={self.bodies} in a scene URI belongs to synthetic:yard alone, "
                f"not to {SCHEME}{self.scene}"
            )
        if not 0 <= self.bodies <= _MOST_BODIES:
            raise UsageError(_wrong("bodies", self.bodies, f"a whole number up to {_MOST_BODIES}"))
        if self.version != RENDERER_VERSION:
            raise UsageError(
                _wrong("version", self.version, f"{RENDERER_VERSION}, what this release draws")
            )

    @property
    def frame_count(self) -> int:
        """How many frames the clip has: seconds x fps, to the nearest whole number."""
        return math.floor(self.seconds * self.fps + 0.5)

    def canonical(self) -> str:
        """Return the one URI that names these pixels, whatever was left to defaults.

        Equal URIs mean equal pixels, in every process and release, so it identifies the clip.
        """
        seconds = repr(self.seconds).removesuffix(".0")
        bodies = f"&bodies={self.bodies}" if self.scene == "yard" else ""
        return (
            f"{SCHEME}{self.scene}?seed={self.seed}&seconds={seconds}&fps={self.fps}"
            f"&size={_size_text(self.size_wh)}{bodies}&version={self.version}"
        )


def parse_scene_uri(uri: str) -> SceneSpec:
    """Return the scene that a URI asks for; what it leaves out keeps SceneSpec's defaults.

    Args:
        uri: for example `synthetic:room?seed=1&seconds=10&fps=30&size=640x360`.

    Raises:
        UsageError: not such a URI, an unknown scene or parameter, or a value out of its range.
    """
    if not uri.startswith(SCHEME):
        raise UsageError(f"not a scene URI: {uri!r}. Write it like {_EXAMPLE}")
    scene, _, query = uri.removeprefix(SCHEME).partition("?")
    if scene not in SCENES:
        raise UsageError(_unknown("scene", scene, SCENES))
    values: dict[str, str] = {}
    for name, value in _pairs(uri, query):
        if name not in _PARAMETERS:
            raise UsageError(_unknown("parameter", name, _PARAMETERS))
        if name in values:
            raise UsageError(f"{name} is given twice in {uri!r}. Give it once")
        values[name] = value
    defaults = SceneSpec(scene)
    return SceneSpec(
        scene,
        seed=_whole("seed", values, defaults.seed),
        seconds=_seconds(values, defaults.seconds),
        fps=_whole("fps", values, defaults.fps),
        size_wh=_size(values, defaults.size_wh),
        bodies=_whole("bodies", values, defaults.bodies),
        version=_whole("version", values, defaults.version),
    )


def _pairs(uri: str, query: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query))
    except ValueError:
        raise UsageError(
            f"cannot read the parameters of {uri!r}. Write name=value, joined by &: {_EXAMPLE}"
        ) from None


def _whole(name: str, values: dict[str, str], default: int) -> int:
    text = values.get(name)
    if text is None:
        return default
    if not re.fullmatch("[0-9]{1,19}", text):
        raise UsageError(_wrong(name, text, "a whole number"))
    return int(text)


def _seconds(values: dict[str, str], default: float) -> float:
    text = values.get("seconds")
    if text is None:
        return default
    if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", text):
        raise UsageError(_wrong("seconds", text, "a number such as 10 or 2.5"))
    return float(text)


def _size(values: dict[str, str], default: tuple[int, int]) -> tuple[int, int]:
    text = values.get("size")
    if text is None:
        return default
    found = re.fullmatch("([0-9]{1,9})x([0-9]{1,9})", text)
    if found is None:
        raise UsageError(_wrong("size", text, _SIZE_RULE))
    return int(found[1]), int(found[2])


def _size_text(size_wh: tuple[int, int]) -> str:
    return f"{size_wh[0]}x{size_wh[1]}"


def _unknown(what: str, got: str, allowed: Sequence[str]) -> str:
    near = difflib.get_close_matches(got, allowed, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    return f"unknown {what} {got!r} in a scene URI; allowed: {', '.join(allowed)}.{hint}"


def _wrong(name: str, got: object, allowed: str) -> str:
    return f"{name}={got} in a scene URI; allowed: {allowed}. For example {_EXAMPLE}"

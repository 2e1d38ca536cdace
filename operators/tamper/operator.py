"""Whether a camera's view has been spoilt: moved, covered, out of focus, blinded, or frozen.

Pixels and patches of the pass that is there in -> what every frame's view is, and an episode for
each time that something was wrong with it, when it is over. A frame is compared with what its own
stream usually shows; nothing is trained.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from operators.batch_operator import BatchOperator
from operators.errors import UsageError
from operators.finite import require_finite
from operators.format import BUILT_IN
from operators.frames import Features, FrameInfo
from operators.operator import StreamOperator
from operators.result import JSON, Result, canonical_json
from operators.settings import Settings
from operators.tamper.seams import seams
from operators.tamper.sight import Sight, look
from operators.tamper.usual import Signs, Usual
from operators.tamper.verdict import CLEAR, SHARE, STRENGTH, verdict
from operators.tamper.watch import Episode, Watch
from operators.weights.head_request import HeadRequest

if TYPE_CHECKING:
    from operators.batch_operator import Numbers

LEARN_S, LEAST_S, MEMORY_S, ADOPT_S = 10.0, 10.0, 300.0, 600.0

_FORMAT = 1
_DECIMALS = 4
_SAME_CAMERA = ("gap", "dropped", "decode", "overload")  # frames are missing, and nothing else


@dataclass(frozen=True, slots=True)
class Patience:
    """How long things take, seconds of event time.

    Attributes:
        learn_s: until a view is known, at first.
        least_s: that something has to be wrong, or right again, before it is told.
        memory_s: over which slow changes are followed.
        adopt_s: after which a view that has been moved is the camera's own.
    """

    learn_s: float = LEARN_S
    least_s: float = LEAST_S
    memory_s: float = MEMORY_S
    adopt_s: float = ADOPT_S


@dataclass(slots=True)
class _Memory:
    usual: Usual = field(default_factory=Usual)
    watch: Watch = field(default_factory=Watch)
    seen: tuple[str, float] | None = None  # kind and strength of the last verdict


class Tamper(BatchOperator, StreamOperator):
    """What is wrong with the view of every stream, if anything is."""

    name = "tamper"
    sees_pixels = True
    topics = BUILT_IN["tamper"]

    def __init__(self, *, share: float = SHARE, patience: Patience | None = None) -> None:
        """
        Args:
            share: of the view that has to have changed for `covered` and `moved`, 0 to 1.
            patience: how long things take; the defaults where None.
        """
        self._share = share
        self._patience = patience or Patience()
        self._memory: dict[str, _Memory] = {}

    def settings(self) -> Mapping[str, Any]:
        return {"share": self._share, **asdict(self._patience)}

    def compute(self, features: Features, rows: slice) -> Numbers:
        if features.pixels is None:
            raise ValueError("these features hold no pixels; build them with Backbone")
        seen = [look(one) for one in features.pixels[rows]]
        parts = (np.stack(part) for part in zip(*seen, strict=True))
        return (seams(features.patches[rows]), *parts)

    def say(self, info: FrameInfo, *numbers: NDArray[Any]) -> list[Result]:
        layout, slopes, tones, mark = numbers
        require_finite(layout, info, operator=self.name)
        fine, dark, bright = map(float, tones)
        sight = Sight(slopes, fine, dark, bright, layout, mark.tobytes())
        memory = self._memory.setdefault(info.stream, _Memory())
        results = self._judge(info, sight, memory)
        memory.usual.mark = sight.mark
        return results

    def repeat(self, info: FrameInfo) -> list[Result]:
        """The last verdict once more. That a frame was left out is no sign of a frozen picture."""
        memory = self._memory.get(info.stream)
        if memory is None or memory.seen is None:
            return []
        over = memory.watch.push(info, *memory.seen, self._patience.least_s)
        return [*self._over(over, "over"), *self._adopted(info, memory)]

    def reset(self, stream: str, reason: str) -> list[Result]:
        memory = self._memory.pop(stream, None)
        if memory is None:
            return []
        if reason in _SAME_CAMERA:
            self._memory[stream] = _Memory(memory.usual)
        return self._over(memory.watch.flush(), "cut")

    def snapshot(self, stream: str) -> bytes:
        memory = self._memory.get(stream) or _Memory()
        usual = memory.usual
        state = {"format": _FORMAT, "usual": usual.to_json(), "watch": memory.watch.to_json()}
        state |= {"seen": memory.seen} if memory.seen else {}
        return canonical_json(state) + b"\n" + usual.packed()

    def restore(self, stream: str, state: bytes) -> None:
        line, _, rest = state.partition(b"\n")
        try:
            said = json.loads(line)
            if said["format"] != _FORMAT:
                raise ValueError(f"format {said['format']!r}")
            usual, watch = Usual.restored(said["usual"], rest), Watch.from_json(said["watch"])
            seen = (str(said["seen"][0]), float(said["seen"][1])) if "seen" in said else None
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"tamper: not a state of format {_FORMAT} ({error})") from error
        self._memory[stream] = _Memory(usual, watch, seen)

    def _judge(self, info: FrameInfo, sight: Sight, memory: _Memory) -> list[Result]:
        usual, watch, patience = memory.usual, memory.watch, self._patience
        if not usual.known(info.event_time_us, patience.learn_s):
            usual.learn(sight, info.event_time_us)
            return [self._view(info, None, None)]
        signs = usual.signs(sight)
        kind = verdict(signs, watch.held, self._share)
        if kind == "frozen" and info.rendered:  # nobody can tell a drawn camera that stands
            kind = CLEAR
        strength = STRENGTH[kind](signs) if kind in STRENGTH else 0.0
        memory.seen = kind, strength
        results = self._over(watch.push(info, kind, strength, patience.least_s), "over")
        results.append(self._view(info, watch.current, signs))
        if watch.calm and usual.due(info.event_time_us, patience.memory_s):
            usual.learn(sight, info.event_time_us)
        return [*results, *self._adopted(info, memory)]

    def _adopted(self, info: FrameInfo, memory: _Memory) -> list[Result]:
        """A view that was moved for long enough is the camera's own."""
        now = memory.watch.current
        if not now or now.kind != "moved" or now.lasts_s(info) < self._patience.adopt_s:
            return []
        memory.usual, memory.seen = Usual(), None
        return self._over(memory.watch.flush(), "adopted")

    def _view(self, info: FrameInfo, current: Episode | None, signs: Signs | None) -> Result:
        """What the view is at a frame; None while it is not known."""
        said = {
            "view": current.kind if current else None,
            "since": current.start.place if current else None,
            "signs": _rounded(signs) if signs else None,
        }
        return Result(info, self.name, JSON, canonical_json(said))

    def _over(self, episode: Episode | None, outcome: str) -> list[Result]:
        if episode is None:
            return []
        said = {
            "kind": episode.kind,
            "start": episode.start.place,
            "end": episode.end.place,
            "peak": {"strength": round(episode.peak, _DECIMALS), **episode.peak_at.place},
            "outcome": outcome,
        }
        topic, data = f"{self.name}.episodes", canonical_json(said)
        return [Result(episode.end, topic, JSON, data, start=episode.start)]


def build_tamper(settings: Mapping[str, Any], request: HeadRequest) -> Tamper:
    """The operator as a user configured it.

    Args:
        settings: `share`, and `learn_s`, `least_s`, `memory_s`, `adopt_s`.
        request: not looked at; there is no head.

    Raises:
        UsageError: a setting does not do.
    """
    given = Settings("tamper", settings, ("share", *Patience.__slots__))
    patience = Patience(
        learn_s=given.number("learn_s", LEARN_S, low=0, high=3600),
        least_s=given.number("least_s", LEAST_S, low=0, high=3600),
        memory_s=given.number("memory_s", MEMORY_S, low=1, high=7 * 86400),
        adopt_s=given.number("adopt_s", ADOPT_S, low=1, high=7 * 86400),
    )
    if patience.adopt_s <= patience.least_s:
        raise UsageError(
            f"operator tamper: adopt_s must be above least_s, got {patience.adopt_s:g} and "
            f"{patience.least_s:g}: a view that was moved would be the camera's own before it is "
            "told of"
        )
    return Tamper(share=given.share("share", SHARE), patience=patience)


def _rounded(signs: Signs) -> dict[str, Any]:
    numbers = asdict(signs).items()
    return {name: one if name == "still" else round(one, _DECIMALS) for name, one in numbers}

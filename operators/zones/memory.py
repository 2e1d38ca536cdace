"""What is remembered of one stream: its last frame, and what stays in its zones."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field

from operators.frames import FrameInfo
from operators.result import JSON, Result, canonical_json
from operators.zones.measure import Measured
from operators.zones.stay import Change, Instant, Stay, step
from operators.zones.watched import Said, Watched

_FORMAT = 1


@dataclass(slots=True)
class Memory:
    """
    Attributes:
        last: the newest frame; None: there was none yet.
        stays: by the keys of what is watched, of what is there.
    """

    last: FrameInfo | None = None
    stays: dict[str, Stay] = field(default_factory=dict)

    def take(
        self, info: FrameInfo, watched: Sequence[Watched], measured: dict[str, Measured]
    ) -> list[Said]:
        """The next frame: what records say of what it changes.

        Args:
            info: the frame.
            watched: always in one order.
            measured: of it, by zone.
        """
        now = Instant(info.position, info.event_time_us)
        told = []
        for one in watched:
            reading = one.read(measured[one.zone])
            stay, changes = step(self.stays.pop(one.key, None), now, reading, one.patience)
            if stay is None:
                continue
            told += [one.said(stay, change) for change in changes]
            if Change.ENDED not in changes:
                self.stays[one.key] = stay
        self.last = info
        return [said for said in told if said]

    def cut(self, watched: Sequence[Watched]) -> list[Said]:
        """The stream breaks or ends here: what records say of what was still there."""
        begun = [(one, self.stays.get(one.key)) for one in watched]
        told = [
            one.said(stay, Change.ENDED, cut=True) for one, stay in begun if stay and stay.begun
        ]
        return [said for said in told if said]

    def has_begun(self, key: str) -> bool:
        """Whether what is watched under a key counts as being there."""
        return key in self.stays and self.stays[key].begun

    def snapshot(self) -> bytes:
        """JSON."""
        last = self.last and self.last.to_json()
        stays = {key: stay.to_json() for key, stay in self.stays.items()}
        return canonical_json({"format": _FORMAT, "last": last, "stays": stays})

    @classmethod
    def restored(cls, state: bytes) -> Memory:
        """What `snapshot` gave.

        Raises:
            ValueError: it is of another format, or damaged.
        """
        try:
            said = json.loads(state)
            if said["format"] != _FORMAT:
                raise ValueError(f"format {said['format']!r}")
            last = said["last"] and FrameInfo.from_json(said["last"])
            return cls(last, {key: Stay.from_json(one) for key, one in said["stays"].items()})
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"zones: not a state of format {_FORMAT} ({error!r})") from error


def record(info: FrameInfo, said: Said, labelset: str) -> Result:
    """One record of a frame; ids of classes and their names are of a label set."""
    value = canonical_json(said.value)
    return Result(info, said.topic, JSON, value, {"labelset": labelset}, part=said.part)

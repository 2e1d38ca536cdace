"""What is remembered of one stream: its last frame, and what stays in its zones."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

from operators.frames import FrameInfo
from operators.result import JSON, Result, canonical_json
from operators.zones.measure import Measured
from operators.zones.stay import Change, Instant, Reading, Stay, step
from operators.zones.watched import Said, Watched

_FORMAT = 1


@dataclass(slots=True)
class Memory:
    """
    Attributes:
        last: the newest frame; None: there was none yet.
        stays: by the keys of what is watched, of what is there.
        readings: by the same keys, of the newest frame that was measured.
    """

    last: FrameInfo | None = None
    stays: dict[str, Stay] = field(default_factory=dict)
    readings: dict[str, Reading] = field(default_factory=dict)

    def take(
        self, info: FrameInfo, watched: Sequence[Watched], measured: dict[str, Measured]
    ) -> list[Said]:
        """The next frame: what records say of what it changes.

        Args:
            info: the frame.
            watched: always in one order.
            measured: of it, by zone.
        """
        self.readings = {one.key: one.read(measured[one.zone]) for one in watched}
        return self.repeat(info, watched)

    def repeat(self, info: FrameInfo, watched: Sequence[Watched]) -> list[Said]:
        """A frame that shows what the last one that was measured does; as `take`."""
        now = Instant(info.position, info.event_time_us)
        told = []
        for one in watched:
            if (reading := self.readings.get(one.key)) is None:
                continue  # nobody watched it then
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
        readings = {key: asdict(reading) for key, reading in self.readings.items()}
        state = {"format": _FORMAT, "last": last, "stays": stays}
        return canonical_json(state | ({"readings": readings} if readings else {}))

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
            stays = {key: Stay.from_json(one) for key, one in said["stays"].items()}
            readings = {key: Reading(**one) for key, one in said.get("readings", {}).items()}
            return cls(last, stays, readings)
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"zones: not a state of format {_FORMAT} ({error!r})") from error


def record(info: FrameInfo, said: Said, labelset: str) -> Result:
    """One record of a frame; ids of classes and their names are of a label set."""
    value = canonical_json(said.value)
    return Result(info, said.topic, JSON, value, {"labelset": labelset}, part=said.part)

"""What became of things that were followed: when each was seen and when it was lost. JSON out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from operators.follow.presence import Absence, absences
from operators.follow.rules import Rules
from operators.segmentation.labelsets import LabelSet
from pipeline.follow.carried import Sighting

FILE = "follow.json"


@dataclass(frozen=True, slots=True)
class Told:
    """
    Attributes:
        labels: class 0 the background, the others what was followed.
        times_s: of all frames, seconds since the recording's first one.
        start: number of the marked frame.
        seen: by number of the frame, what was seen in it by id.
        orders: numbers of the others, each way as it was followed.
    """

    labels: LabelSet
    times_s: Sequence[float]
    start: int
    seen: Mapping[int, Mapping[int, Sighting]]
    orders: tuple[range, ...]

    def absences(self, id_: int) -> list[Absence]:
        """When one was lost, each way from the marked frame."""
        found = []
        for order in self.orders:
            numbers = [self.start, *order]
            times_s = [self.times_s[number] for number in numbers]
            found += absences(times_s, [id_ in self.seen[number] for number in numbers])
        return found

    def lines(self) -> list[str]:
        """For people: one for each thing."""
        return [self._line(label.id, label.name) for label in self.labels.labels[1:]]

    def plain(self, facts: dict[str, Any]) -> dict[str, Any]:
        """JSON values.

        Args:
            facts: what else there is to say of all of it.
        """
        return {
            **facts,
            "marked": {"frame": self.start, "time_s": _seconds(self.times_s[self.start])},
            "rules": asdict(Rules()),
            "things": [
                {
                    "id": label.id,
                    "name": label.name,
                    "frames": self._frames(label.id),
                    "lost": [
                        {key: _seconds(time_s) for key, time_s in one._asdict().items()}
                        for one in self.absences(label.id)
                    ],
                }
                for label in self.labels.labels[1:]
            ],
            "frames": [self._frame(number) for number in sorted(self.seen)],
        }

    def _frames(self, id_: int) -> int:
        return sum(id_ in seen for seen in self.seen.values())

    def _frame(self, number: int) -> dict[str, Any]:
        names = self.labels.labels
        seen = {
            names[id_].name: {"pixels": one.pixels, "box": list(one.box)}
            for id_, one in self.seen[number].items()
        }
        return {"frame": number, "time_s": _seconds(self.times_s[number]), "seen": seen}

    def _line(self, id_: int, name: str) -> str:
        text = f"{name}: seen in {self._frames(id_)} of {len(self.seen)} frames"
        for one in self.absences(id_):
            text += f"; lost at {one.lost_s:.1f} s"
            text += "" if one.found_s is None else f", found again at {one.found_s:.1f} s"
        return text


def _seconds(time_s: float | None) -> float | None:
    return None if time_s is None else round(float(time_s), 3)

"""A panel that says why there is nothing to draw."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.plot.panel import HEAD, Foot, draw_head
from pipeline.plot.svg import Drawing


@dataclass(frozen=True, slots=True)
class Statement:
    """A panel without a chart."""

    title: str
    said: str
    wide: bool = False

    @property
    def spoken(self) -> str:
        return f"{self.title}: {self.said}"

    def height(self, width: float) -> float:
        """Pixels."""
        return HEAD + Foot(notes=[self.said]).height(width)

    def draw(self, drawing: Drawing, left: float, top: float, width: float) -> None:
        """Into a drawing, there."""
        draw_head(drawing, (left, top), width, self.title, "")
        Foot(notes=[self.said]).draw(drawing, (left, top + HEAD / 2), width)

"""Frames through a chain of libavfilter's filters, made anew where frames or chain change."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import av
from av.filter import Graph

Chain = Sequence[tuple[str, str]]
"""Filters by name, with their options, in order."""

# A card's formats, and the same numbers with chroma in two planes: libavfilter cuts interleaved
# chroma in the middle of a pair where the left edge is odd.
_PLANAR = {"nv12": "yuv420p", "p010le": "yuv420p10le"}


class Filters:
    """Of one stream's frames; keeps one graph."""

    def __init__(self) -> None:
        self._graph: Graph | None = None
        self._made_for: object = None

    def __call__(self, frame: av.VideoFrame, chain: Chain) -> av.VideoFrame:
        """The frame that comes out for one; `chain` has at least one filter, which drop none."""
        if frame.sw_format:  # it is on a card
            frame = frame.reformat(format=frame.sw_format.name)
        if planar := _PLANAR.get(frame.format.name):
            frame = frame.reformat(format=planar)
        kind = (frame.width, frame.height, frame.format.name, tuple(chain))
        if self._graph is None or self._made_for != kind:
            self._graph, self._made_for = _made(frame, chain), kind
        self._graph.push(frame)
        filtered = self._graph.pull()
        assert isinstance(filtered, av.VideoFrame)
        return filtered


def _made(frame: av.VideoFrame, chain: Chain) -> Graph:
    graph = Graph()
    last = graph.add_buffer(
        width=frame.width,
        height=frame.height,
        format=frame.format,
        time_base=frame.time_base or Fraction(1),  # a scene has none, and no filter here wants it
    )
    for name, options in chain:
        link = graph.add(name, options)
        last.link_to(link)
        last = link
    last.link_to(graph.add("buffersink"))
    graph.configure()
    return graph

"""Episodes -> the command that shows each: `render` of a recording, `clip` of what was taped."""

from __future__ import annotations

import shlex

from pipeline.search.episode import Episode
from pipeline.search.when import since_beginning
from pipeline.stream.session import is_connection
from pipeline.view.footage import Footage

NAMELESS = "RECORDING"  # to be put in by the user, who named no footage
TAPE = "TAPE"


def film_command(episode: Episode, sink: str, footage: Footage, first_us: int) -> str:
    """
    Args:
        episode: to be shown.
        sink: URI of its records.
        footage: that the user has named.
        first_us: event time of the session's first vector, microseconds since the epoch.
    """
    row = episode.best
    stream, session, _ = row.series
    name = f"{stream}-{row.position}"
    if is_connection(session):
        tape = footage.source(stream, session) or TAPE
        words = ["clip", sink, "--around", row.id, "--tape", tape, "-o", f"{name}.mp4"]
    else:
        source = footage.source(stream, session) or NAMELESS
        began_us = 0 if since_beginning(row.time_us) else first_us
        seconds = f"{max(0, row.time_us - began_us) / 1e6:.3f}"
        words = ["render", sink, "--source", source, "--stream", stream]
        words += ["--at", seconds, "-o", f"{name}.png"]
    return shlex.join(["dinostream", *words])

"""Episodes -> the command that shows each: `render` of a recording, `clip` of what was taped."""

from __future__ import annotations

import shlex

from pipeline.search.episode import Episode
from pipeline.search.when import since_beginning
from pipeline.stream.session import is_connection
from pipeline.view.footage import Footage

NAMELESS = "RECORDING"  # to be put in by the user, who named no footage
TAPE = "TAPE"
SECONDS = "SECONDS"  # since the recording's beginning


def film_command(episode: Episode, sink: str, footage: Footage, first_us: int | None) -> str:
    """
    Args:
        episode: to be shown.
        sink: URI of its records.
        footage: that the user has named.
        first_us: event time of the session's first vector, microseconds since the epoch; None:
            nobody knows it.
    """
    row = episode.best
    stream, session, _ = row.series
    name = f"{stream}-{row.position}"
    if is_connection(session):
        tape = footage.source(stream, session) or TAPE
        words = ["clip", sink, "--around", row.id, "--tape", tape, "-o", f"{name}.mp4"]
    else:
        source = footage.source(stream, session) or NAMELESS
        words = ["render", sink, "--source", source, "--stream", stream]
        words += ["--at", _seconds(row.time_us, first_us), "-o", f"{name}.png"]
    return shlex.join(["dinostream", *words])


def _seconds(time_us: int, first_us: int | None) -> str:
    began_us = 0 if since_beginning(time_us) else first_us
    return SECONDS if began_us is None else f"{max(0, time_us - began_us) / 1e6:.3f}"

"""When an episode was and how long it lasted, as people read it."""

from __future__ import annotations

from operators.moment import rfc3339
from pipeline.search.episode import Episode

_DAY_US = 86_400 * 1_000_000


def since_beginning(time_us: int) -> bool:
    """Whether an event time is one of a recording of which nobody knows the day."""
    return 0 <= time_us < _DAY_US


def moment(time_us: int) -> str:
    """Event time, in UTC or since the beginning."""
    if not since_beginning(time_us):
        return f"{rfc3339(time_us)[:-6]}Z".replace("T", " ")
    seconds = time_us / 1e6
    return f"{int(seconds // 3600)}:{int(seconds // 60) % 60:02}:{seconds % 60:04.1f}"


def length(episode: Episode) -> str:
    """From its first hit to its last."""
    hits = f"{episode.hits} frame{'s' * (episode.hits != 1)}"
    if episode.hits == 1:
        return hits
    return f"{hits} in {(episode.end_us - episode.start_us) / 1e6:.1f} s"

"""Who is killed: the parts of a job, and where their processes are."""

from __future__ import annotations

from pathlib import Path

DRIVER, BROKER = "driver", "broker"
# What is in the command lines of the others, all of which descend from the driver.
TITLES = {
    "decode process": "pipeline.decode.child",
    "decode actor": "ray::DecodeActor",
    "engine actor": "ray::EngineActor",
    "sink actor": "ray::SinkActor",
}


def victims(sink: str, runtime: str) -> tuple[str, ...]:
    """Parts that such a job has; inline, driver, engine and sink are one process."""
    actors = [name for name, title in TITLES.items() if runtime == "ray" or "ray" not in title]
    return (DRIVER, *actors, *([BROKER] if sink == "kafka" else []))


def processes(victim: str, driver: int) -> list[int]:
    """Process ids of a part, sorted; none while there is none."""
    if victim == DRIVER:
        return [driver]
    return sorted(pid for pid in _descendants(driver) if TITLES[victim] in _title(pid))


def _descendants(pid: int) -> set[int]:
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            parent = _parent(int(entry.name))
            if parent is not None:
                parents[int(entry.name)] = parent
    below: set[int] = set()
    newest = {pid}
    while newest:
        newest = {child for child, parent in parents.items() if parent in newest} - below
        below |= newest
    return below


def _parent(pid: int) -> int | None:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:  # it has ended
        return None


def _title(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    except OSError:
        return ""

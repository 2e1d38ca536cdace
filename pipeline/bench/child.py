"""The process of one contender: `python -m pipeline.bench.child`, a task on stdin.

Writes its timing beside its results. A process of its own, so that no contender warms another's
caches, holds its memory, or shares its threads.
"""

from __future__ import annotations

import importlib
import sys

from pipeline.bench.task import Task

# Imported when chosen: what a contender does not need must not load.
_WORKERS = {
    "plain": ("pipeline.bench.plain", "run_plain"),
    "inline": ("pipeline.bench.ours", "run_ours"),
    "ray": ("pipeline.bench.ours", "run_ours"),
    "decode": ("pipeline.bench.parts", "run_decode"),
    "engine": ("pipeline.bench.parts", "run_engine"),
}


def main() -> None:
    """Do one task."""
    task = Task.from_json(sys.stdin.readline())
    module, name = _WORKERS[task.contender]
    timing = getattr(importlib.import_module(module), name)(task)
    task.answer.write_text(timing.to_json())


if __name__ == "__main__":
    main()

"""Gathers what the parts of `benchmarks/gpu.sh` left into one results file.

    python benchmarks/gather.py FOLDER results/gpu.json

In: a folder with `parts` (a line per part: name, limit, exit code, seconds, command, by tabs) and
each part's NAME.log and NAME.json. Out: one JSON file and a summary; the exit code is 0 only where
every part that ran ended well. Needs the standard library alone.
"""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

LAST_LINES = 15
ENDED_BY_TIMEOUT = (124, 137)
_MARKS = {True: "ok    ", False: "NOT OK", None: "      "}


def gather(folder: Path) -> dict[str, Any]:
    """Everything of a folder.

    Args:
        folder: with `parts` and the parts' files.

    Returns:
        JSON values, the parts by name in their order.
    """
    lines = (folder / "parts").read_text().splitlines()
    parts = dict(read_part(folder, line) for line in lines)
    return {
        "benchmark": "gpu",
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "ok": all(part["ok"] is not False for part in parts.values()),
        "parts": parts,
    }


def read_part(folder: Path, line: str) -> tuple[str, dict[str, Any]]:
    """One part: its name, and what became of it; without an exit code the last field says why."""
    name, limit_s, code, seconds, command = line.split("\t")
    if not code:
        return name, {"ok": None, "ran": False, "why": command}
    log = folder / f"{name}.log"
    report, why = read_report(folder / f"{name}.json")
    if int(code) in ENDED_BY_TIMEOUT:
        why = f"ended at its limit of {limit_s} s"
    return name, {
        "ok": code == "0",
        "ran": True,
        "command": command,
        "exit_code": int(code),
        "seconds": int(seconds),
        "limit_s": int(limit_s),
        "why": why,
        "last_words": log.read_text(errors="replace").splitlines()[-LAST_LINES:],
        "report": report,
    }


def read_report(path: Path) -> tuple[Any, str | None]:
    """A part's report, or why there is none; a part need not write one."""
    if not path.exists():
        return None, None
    try:
        return json.loads(path.read_text()), None
    except ValueError as error:
        return None, f"its report cannot be read: {error}"


def summary(results: dict[str, Any]) -> list[str]:
    """A line per part."""
    lines = []
    for name, part in results["parts"].items():
        if part["ran"]:
            said = part["why"] or f"exit code {part['exit_code']}"
            lines.append(f"{_MARKS[part['ok']]} {name} after {part['seconds']} s: {said}")
        else:
            lines.append(f"{_MARKS[None]} {name}: left out, {part['why']}")
    return lines


def main() -> int:
    """Gather, write, tell; returns the exit code."""
    if len(sys.argv) != 3:
        print((__doc__ or "").strip(), file=sys.stderr)
        return 2
    folder, out = map(Path, sys.argv[1:])
    results = gather(folder)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(results, indent=1) + "\n")
    print("\n".join([*summary(results), f"results: {out}"]))
    return 0 if results["ok"] else 1


if __name__ == "__main__":
    sys.exit(main())

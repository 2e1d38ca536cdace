"""One line of what a machine has: what was looked for, and how to get it where it is missing."""

from __future__ import annotations

import importlib.metadata
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report.

    Attributes:
        name: what was looked for.
        present: it is there and works; None where there is nothing to miss.
        value: version, path, features.
        remedy: how to get it, or something better than what is there; "" where all is well.
        required: every run needs it.
    """

    name: str
    present: bool | None
    value: str
    remedy: str = ""
    required: bool = False


def distributions(name: str, *packages: str) -> Finding:
    """Several packages that one thing needs; they are not imported."""
    versions = [distribution(package, "make venv") for package in packages]
    missing = [one.name for one in versions if not one.present]
    value = ", ".join(f"{one.name} {one.value}" for one in versions)
    remedy = f"make venv, or pip install {' '.join(missing)}" if missing else ""
    return Finding(name, not missing, value, remedy)


def distribution(package: str, remedy: str) -> Finding:
    """A package that is installed, or is not."""
    try:
        return Finding(package, True, importlib.metadata.version(package))
    except importlib.metadata.PackageNotFoundError:
        return Finding(package, False, "absent", remedy)

"""What a basis says of itself, read without its numbers. Importable without torch."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from operators.errors import WeightsError
from operators.weights.header import read_header

OPERATOR = "features"  # whose head file a basis is


def basis_header(path: Path) -> Mapping[str, Any]:
    """Of a basis that `dinostream fit features` has written.

    Raises:
        WeightsError: there is none, or it is damaged, or something else.
    """
    if not path.is_file():
        raise WeightsError(f"{path}: no such basis; dinostream fit features makes one")
    header = read_header(path)
    if not header or header.get("operator") != OPERATOR:
        raise WeightsError(f"{path}: is no basis of features; dinostream fit features makes one")
    return header

"""Files told apart by what is in them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from operators.errors import WeightsError


def sha256_file(path: Path) -> str:
    """Hex sha256 of a file's bytes.

    Raises:
        WeightsError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise WeightsError(f"{path}: cannot be read ({error.strerror or error})") from error


def sha256_files(paths: Iterable[Path]) -> dict[Path, str]:
    """Hex sha256 of each, which is read once however often it is named: a backbone and its head may
    lie in one file.

    Raises:
        WeightsError: one cannot be read.
    """
    return {path: sha256_file(path) for path in set(paths)}

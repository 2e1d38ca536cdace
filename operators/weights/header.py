"""What our own weights files say about themselves, read without their tensors.

Path in -> the JSON object in its metadata, if it has one. Importable without torch.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from operators.errors import WeightsError

HEADER_KEY = "dinostream"  # of the safetensors metadata of our own files
SHIPPED = Path(__file__).parents[1] / "demo.safetensors"  # `operators.weights.demo` reads it


def read_header(path: Path) -> Mapping[str, Any] | None:
    """What one of our own files says about itself; None for any other file.

    Raises:
        WeightsError: it is damaged, or says something else than a JSON object.
    """
    if path.suffix != ".safetensors":
        return None
    try:
        with safe_open(path, framework="numpy") as file:
            text = (file.metadata() or {}).get(HEADER_KEY)
        header = None if text is None else json.loads(text)
    except (SafetensorError, ValueError, OSError) as error:
        raise WeightsError(f"{path}: its header cannot be read ({error})") from error
    if header is not None and not isinstance(header, dict):
        raise WeightsError(f"{path}: metadata {HEADER_KEY!r} must be a JSON object, got {text}")
    return header

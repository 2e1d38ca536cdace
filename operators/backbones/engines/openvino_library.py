"""OpenVINO without its telemetry: imported as it is, it reports every import to its makers.

It falls back to a stub where the package openvino_telemetry is missing, so it is made to miss it.
Every other module takes `ov` and `ops` from here.
"""

from __future__ import annotations

import sys

sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]

import openvino as ov  # noqa: E402
from openvino import opset13 as ops  # noqa: E402

__all__ = ["ops", "ov"]

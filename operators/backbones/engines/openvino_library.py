"""OpenVINO without its telemetry: imported as it is, it reports every import to its makers.

It falls back to a stub where the package openvino_telemetry is missing, so it is made to miss it.
Every other module takes `ov` and `ops` from here.
"""

from __future__ import annotations

import functools
import sys

sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]

import openvino as ov  # noqa: E402
from openvino import opset13 as ops  # noqa: E402

__all__ = ["core", "ops", "ov"]


@functools.cache
def core() -> ov.Core:
    """The process's only one, which lives as long as the process does.

    Its CPU plugin gives the thread that loads it a stack for signals (room for AMX's registers,
    openvinotoolkit/openvino#11894) and frees that stack where the plugin goes. On another thread
    that leaves the first with a stack that is gone, and the next signal is a segmentation fault.
    """
    return ov.Core()

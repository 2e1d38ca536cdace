"""Streams added and removed as scripts for NVIDIA DeepStream's REST server do it.

The payload of its `stream/add` and `stream/remove` (DeepStream 6.2 to 9.2) in -> which stream, and
its address. What else it says is of DeepStream's own pipeline, and passed over.
"""

from __future__ import annotations

from typing import Any, Literal

from pipeline.web.problem import Problem

Change = Literal["add", "remove"]


def sensor(payload: dict[str, Any], change: Change) -> tuple[str, str]:
    """Id and address of the camera that a payload is about; of one that goes the address may be "".

    Raises:
        Problem: 422, it is another payload, or one for another change.
    """
    value = payload.get("value")
    if payload.get("key") != "sensor" or not isinstance(value, dict):
        raise Problem(422, 'want {"key": "sensor", "value": {...}}, as DeepStream does')
    said = value.get("change")
    if not isinstance(said, str) or change not in said:
        raise Problem(422, f'value.change should hold "{change}", got {said!r}')
    wanted = ("camera_id", "camera_url") if change == "add" else ("camera_id",)
    missing = [name for name in wanted if not isinstance(value.get(name), str) or not value[name]]
    if missing:
        raise Problem(422, f"value.{missing[0]} is missing")
    return value["camera_id"], str(value.get("camera_url") or "")


def done(change: Change) -> dict[str, str]:
    """What its scripts look for in the answer."""
    return {"status": "HTTP/1.1 200 OK", "reason": f"STREAM_{change.upper()}_SUCCESS"}

"""The JSON of a request, as far as it is worth reading."""

from __future__ import annotations

import json
from typing import Any

from starlette.requests import Request

from pipeline.web.problem import Problem

MOST_BYTES = 1 << 20  # of a request


async def json_object(request: Request) -> dict[str, Any]:
    """What was sent. Refused is what a page of a browser could send without being asked.

    Raises:
        Problem: 415, 413, 400 or 422: no JSON is announced, there is too much, it is none, or no
            object.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise Problem(415, "say content-type: application/json")
    data = bytearray()
    async for piece in request.stream():
        data += piece
        if len(data) > MOST_BYTES:
            raise Problem(413, f"a request may have {MOST_BYTES} bytes")
    try:
        values = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise Problem(400, f"this is no JSON: {error}") from None
    if not isinstance(values, dict):
        raise Problem(422, f"want a JSON object, got {type(values).__name__}")
    return values

"""The OpenAPI document of a job's HTTP service. A test holds its paths to the routes."""

from __future__ import annotations

import importlib.metadata
from typing import Any

from pipeline.configuration.config import STREAM_ID, StreamConfig
from pipeline.control.fared import PERCENTILES, STATES

Json = dict[str, Any]

_ID = {
    "name": "id",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "pattern": STREAM_ID},
}


def document() -> Json:
    """Version 3.1, as JSON values."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "dinostream",
            "version": importlib.metadata.version("dinostream"),
            "description": "Watch and steer a live job. Requests are answered at once; whether a "
            "camera can be reached is its state.",
        },
        "paths": _paths(),
        "components": {
            "schemas": {
                "StreamConfig": StreamConfig.model_json_schema(),
                "Stream": _stream(),
                "Change": _change(),
                "Problem": _problem(),
            },
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _paths() -> Json:
    stream = _answers({"200": _json("Stream")}, "404")
    changed = {"202": _json("Stream")}
    return {
        "/v1/streams": {"get": {"summary": "All streams", **_answers({"200": _listed()})}},
        "/v1/streams/{id}": {
            "parameters": [_ID],
            "get": {"summary": "One stream", **stream},
            "put": {
                "summary": "Have a stream be so; with If-None-Match: * only where there is none",
                "requestBody": {"required": True, **_json("StreamConfig")},
                **_answers(
                    {"201": _json("Stream"), **changed}, "400", "409", "412", "413", "415", "422"
                ),
            },
            "patch": {
                "summary": "Have some keys of a stream's entry be so; null takes one out",
                "requestBody": {"required": True, **_any()},
                **_answers(changed, "400", "404", "409", "413", "415", "422"),
            },
            "delete": {
                "summary": "Have a stream finish and be forgotten",
                **_answers({"204": {"description": "It will"}}, "404", "409"),
            },
        },
        "/v1/streams/{id}:pause": {
            "parameters": [_ID],
            "post": {"summary": "Have a stream left alone", **_answers(changed, "404", "409")},
        },
        "/v1/streams/{id}:resume": {
            "parameters": [_ID],
            "post": {"summary": "Have it go on, or begin again", **_answers(changed, "404", "409")},
        },
        "/v1/config": {
            "get": {"summary": "The configuration, secrets masked", **_answers({"200": _any()})},
            "put": {
                "summary": "Have the streams that it names; If-Match with the ETag of the GET",
                "requestBody": {"required": True, **_any()},
                **_answers({"202": _any()}, "409", "412", "422", "428"),
            },
        },
        "/v1/events": {
            "get": {
                "summary": "Changes as server-sent events; Last-Event-ID goes on behind one",
                **_answers({"200": _text("text/event-stream")}, "422"),
            }
        },
        "/api/v1/stream/add": {"post": _sensor("Take a stream in, by DeepStream's payload", "412")},
        "/api/v1/stream/remove": {"post": _sensor("The same for leaving", "404")},
        "/livez": {"get": _probe("Its loop turns")},
        "/readyz": {"get": _probe("It is at work, its sink is there, and a stream is")},
        "/startupz": {"get": _probe("Its weights are loaded")},
        "/metrics": {
            "get": {
                "summary": "For Prometheus",
                **_answers({"200": _text("text/plain")}),
            }
        },
        "/openapi.json": {"get": {"summary": "This document", **_answers({"200": _any()})}},
    }


def _stream() -> Json:
    counts = {"type": ["object", "null"], "additionalProperties": {"type": "integer"}}
    whole, number = ({"type": [kind, "null"]} for kind in ("integer", "number"))
    fields: Json = {
        "id": {"type": "string"},
        "state": {"enum": [*STATES]},
        "reason": {"type": "string", "description": "Why it is no better"},
        "since": {"type": "string", "format": "date-time"},
        "epoch": whole,
        "frames": {**whole, "description": "Sampled frames through the operators; null: unknown"},
        "dropped": counts,
        "lag_s": {**number, "description": "Age of frames when their records were in"},
        "worst_lag_s": number,
        "latency_s": {
            "type": ["object", "null"],
            "properties": dict.fromkeys(PERCENTILES, number),
            "description": "From capture until the records were in the sink",
        },
        "drift_ppm": {
            **number,
            "description": "By how many millionths the camera's clock is fast; null: unknown",
        },
        "drift_over_s": {**number, "description": "Over how many seconds that was measured"},
        "share": {**number, "description": "Part of a recording that is decoded, 0 to 1"},
        "ledger": {"type": ["object", "null"], "additionalProperties": counts},
        "kept": {
            "type": ["object", "null"],
            "properties": {"records": whole, "bytes": whole, "since": {"type": "string"}},
            "description": "What is on disk until the sink takes it, and since when; null: nothing",
        },
        "config": {"$ref": "#/components/schemas/StreamConfig"},
    }
    return {"type": "object", "properties": fields, "required": list(fields)}


def _change() -> Json:
    fields: Json = {
        "number": {"type": "integer"},
        "time": {"type": "string", "format": "date-time"},
        "stream": {"type": "string"},
        "state": {"enum": [*STATES, "removed"]},
        "reason": {"type": "string"},
    }
    return {"type": "object", "properties": fields, "required": list(fields)}


def _problem() -> Json:
    fields: Json = {
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What, where, what was allowed"},
    }
    return {"type": "object", "properties": fields, "required": list(fields)}


def _listed() -> Json:
    streams = {"type": "array", "items": {"$ref": "#/components/schemas/Stream"}}
    fields: Json = {"streams": streams, "change": {"type": "integer"}}
    return _content("application/json", {"type": "object", "properties": fields})


def _json(schema: str) -> Json:
    return _content("application/json", {"$ref": f"#/components/schemas/{schema}"})


def _any() -> Json:
    return _content("application/json", {"type": "object"})


def _text(media_type: str) -> Json:
    return _content(media_type, {"type": "string"})


def _content(media_type: str, schema: Json) -> Json:
    return {"description": "", "content": {media_type: {"schema": schema}}}


def _sensor(summary: str, refused: str) -> Json:
    body = {"required": True, **_any()}
    return {
        "summary": summary,
        "requestBody": body,
        **_answers({"200": _any()}, refused, "409", "422"),
    }


def _probe(summary: str) -> Json:
    text = _text("text/plain")
    return {"summary": summary, "security": [], "responses": {"200": text, "503": text}}


def _answers(good: Json, *bad: str) -> Json:
    """Responses; everything but a probe may want a token."""
    problem = _content("application/problem+json", {"$ref": "#/components/schemas/Problem"})
    return {
        "security": [{"token": []}, {}],
        "responses": good | {status: problem for status in (*bad, "401", "403")},
    }

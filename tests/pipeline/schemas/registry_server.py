"""A schema registry in memory, by the documented REST interface of Confluent's (subjects of JSON
Schemas, mode BACKWARD for what our schemas are: closed objects)."""

from __future__ import annotations

import base64
import json
import re
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

MEDIA_TYPE = "application/vnd.schemaregistry.v1+json"


class RegistryServer(ThreadingHTTPServer):
    """
    Attributes:
        subjects: versions of each subject, oldest first.
        login: `USER:PASSWORD` that is asked for; "" for none.
        asked: paths, in order.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.subjects: dict[str, list[dict[str, Any]]] = {}
        self.ids: list[dict[str, Any]] = []
        self.login = ""
        self.asked: list[str] = []
        self.url = f"http://127.0.0.1:{self.server_port}"

    def id_of(self, schema: dict[str, Any]) -> int:
        """The same for the same schema, whatever its subject."""
        if schema not in self.ids:
            self.ids.append(schema)
        return self.ids.index(schema) + 1


class _Handler(BaseHTTPRequestHandler):
    server: RegistryServer
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.asked.append(self.path)
        if self.server.login:
            encoded = base64.b64encode(self.server.login.encode()).decode()
            if self.headers["authorization"] != f"Basic {encoded}":
                return self._refuse(401, 40101, "Unauthorized")
        found = re.fullmatch(r"/subjects/([^/]+)(/versions)?", self.path)
        if found is None:
            return self._refuse(404, 404, "HTTP 404 Not Found")
        if self.headers["content-type"] != MEDIA_TYPE or body["schemaType"] != "JSON":
            return self._refuse(422, 42201, "Invalid schema")
        subject, schema = found[1], json.loads(body["schema"])
        return self._register(subject, schema) if found[2] else self._look_up(subject, schema)

    def _look_up(self, subject: str, schema: dict[str, Any]) -> None:
        versions = self.server.subjects.get(subject)
        if versions is None:
            return self._refuse(404, 40401, f"Subject '{subject}' not found.")
        if schema not in versions:
            return self._refuse(404, 40403, "Schema not found")
        version, number = versions.index(schema) + 1, self.server.id_of(schema)
        return self._answer(
            200,
            {
                "subject": subject,
                "id": number,
                "version": version,
                "schemaType": "JSON",
                "schema": json.dumps(schema),
            },
        )

    def _register(self, subject: str, schema: dict[str, Any]) -> None:
        versions = self.server.subjects.setdefault(subject, [])
        if versions and (why := _unreadable(versions[-1], schema)):
            text = (
                "Schema being registered is incompatible with an earlier schema for subject "
                f'"{subject}", details: [{why}]'
            )
            return self._refuse(409, 409, text)
        if schema not in versions:
            versions.append(schema)
        return self._answer(200, {"id": self.server.id_of(schema)})

    def _refuse(self, status: int, code: int, text: str) -> None:
        self._answer(status, {"error_code": code, "message": text})

    def _answer(self, status: int, value: Any) -> None:
        data = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("content-type", MEDIA_TYPE)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args: object) -> None:
        pass


def _unreadable(old: dict[str, Any], new: dict[str, Any]) -> str:
    """Why what the old schema allows is not all allowed by the new one; "" where it is."""
    for name, schema in old.get("properties", {}).items():
        if name not in new.get("properties", {}):
            return f"PROPERTY_REMOVED_FROM_CLOSED_CONTENT_MODEL {name}"
        if schema.get("type") != new["properties"][name].get("type"):
            return f"TYPE_CHANGED {name}"
    if more := set(new.get("required", [])) - set(old.get("required", [])):
        return f"REQUIRED_ATTRIBUTE_ADDED {', '.join(sorted(more))}"
    return ""

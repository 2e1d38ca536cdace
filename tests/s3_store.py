"""A store that speaks enough of S3: objects by ranges, lists of a bucket, and who may ask."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

from tests.serving import serving

BUCKET, KEY_ID, SECRET = "footage", "AKIDEXAMPLE", "wJalrXUtnFEMIgeheim"


class Store:
    """Attributes:
    objects: key -> content.
    private: keys that nobody may read.
    sent: key -> bytes that were sent of it, or tried to.
    broken: how many of the next answers break off in their middle.
    """

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.private: set[str] = set()
        self.sent: dict[str, int] = {}
        self.broken = 0
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())

    @property
    def environment(self) -> dict[str, str]:
        """Variables of whoever may ask."""
        return {
            "AWS_ENDPOINT_URL_S3": f"http://127.0.0.1:{self.server.server_port}",
            "AWS_ACCESS_KEY_ID": KEY_ID,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_CONFIG_FILE": "/dev/null",
            "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def listed(self, prefix: str) -> bytes:
        """As ListObjectsV2 answers."""
        found = "".join(
            f"<Contents><Key>{escape(key)}</Key><Size>{len(data)}</Size>"
            f'<ETag>"0"</ETag><LastModified>2026-11-30T00:00:00.000Z</LastModified></Contents>'
            for key, data in sorted(self.objects.items())
            if key.startswith(prefix)
        )
        return (
            f"<ListBucketResult><IsTruncated>false</IsTruncated>{found}</ListBucketResult>".encode()
        )

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        store = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                """What waits in the kernel is no more than it must: it would count as sent."""
                self.request.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 14)
                super().setup()

            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                query = parse_qs(parts.query)
                bucket, _, key = unquote(parts.path).lstrip("/").partition("/")
                who = self.headers.get("Authorization", "") + str(query.get("X-Amz-Credential"))
                if KEY_ID not in who:
                    self.refuse(403, "InvalidAccessKeyId")
                elif bucket != BUCKET:
                    self.refuse(404, "NoSuchBucket")
                elif not key:
                    self.answer(200, store.listed(query.get("prefix", [""])[0]))
                elif key in store.private:
                    self.refuse(403, "AccessDenied")
                elif key not in store.objects:
                    self.refuse(404, "NoSuchKey")
                else:
                    self.give(key, store.objects[key])

            do_HEAD = do_GET

            def give(self, key: str, data: bytes) -> None:
                span = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
                if span is None:
                    self.answer(200, data, key=key)
                    return
                first, last = int(span[1]), int(span[2] or len(data) - 1)
                part = data[first : last + 1]
                where = f"bytes {first}-{first + len(part) - 1}/{len(data)}"
                self.answer(206, part, {"Content-Range": where}, key=key)

            def refuse(self, code: int, reason: str) -> None:
                self.answer(code, f"<Error><Code>{reason}</Code></Error>".encode())

            def answer(
                self, code: int, body: bytes, headers: dict[str, str] | None = None, key: str = ""
            ) -> None:
                self.send_response(code)
                for name, value in (headers or {}).items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if self.command == "HEAD":
                    return
                if key and store.broken:
                    store.broken -= 1
                    body = body[: len(body) // 2]
                    self.close_connection = True
                for begin in range(0, len(body), 1 << 14):
                    piece = body[begin : begin + (1 << 14)]
                    # counted first: whoever has read it may look at the count at once
                    store.sent[key] = store.sent.get(key, 0) + len(piece)
                    try:
                        self.wfile.write(piece)
                    except OSError:  # whoever asked has enough
                        self.close_connection = True
                        return

            def log_message(self, *_: object) -> None:
                pass

        return Handler


@contextmanager
def s3_store() -> Iterator[Store]:
    """One that runs."""
    store = Store()
    with serving(store.server):
        yield store

"""The page's addresses over real sockets: what they answer, and what they refuse."""

from __future__ import annotations

import json
import struct
import zlib
from contextlib import ExitStack
from urllib.parse import urlencode

import pytest
from websockets.exceptions import ConnectionClosedError

from pipeline.records.record import Message
from pipeline.view.opening import Wish
from pipeline.view.service import serving
from pipeline.web.place import Place
from tests.pipeline.view.conftest import BEGAN_US, CAMERA, SECOND_US, Book, depth_png
from tests.pipeline.web.conftest import Opened

TOKEN = "a token of sixteen or more"


class Looked(Opened):
    """A page that somebody looks at."""

    def get(self, path: str, **query: object):
        """JSON of a success."""
        answer = self.ask("GET", f"{path}?{urlencode(query)}" if query else path)
        assert answer.status == 200, answer.text
        return json.loads(answer.text)

    def refused(self, path: str, **query: object) -> tuple[int, str]:
        answer = self.ask("GET", f"{path}?{urlencode(query)}")
        return answer.status, json.loads(answer.text)["detail"]


@pytest.fixture
def looked(book: Book):
    """`looked(token)`: a page over what is written."""
    with ExitStack() as stack, ExitStack() as sockets:

        def made(token: str = "") -> Looked:
            place = Place("127.0.0.1", 0, token)
            url = stack.enter_context(serving(Wish(f"sqlite:{book.path}"), place))
            return Looked(int(url.rpartition(":")[2]), sockets)

        yield made


def test_streams_and_one_of_them(book, looked):
    book.write(*[book.frame(n) for n in range(10)], book.action(0, 8, "walks"))
    book.write(book.frame(3, topic="segmentation", labelset="odd"))
    page = looked()
    told = page.get("/view/streams")
    assert (told["sink_state"], [one["stream"] for one in told["streams"]]) == ("there", ["gate"])
    gate = page.get("/view/streams/gate")
    (axis,) = gate["axes"]
    assert (axis["axis"], axis["from_us"], axis["records"]) == ("live", BEGAN_US, 10)
    depth, classes = gate["layers"]
    assert (depth["kind"], depth["unit"], depth["depthscale"]) == ("depth", "m", 0.001)
    assert depth["low"] == pytest.approx(1.0, abs=0.01)
    assert (classes["kind"], classes["labelset"]) == ("classes", "odd")
    assert gate["size_wh"] == [64, 48]
    assert gate["pictures"] is None
    assert "--media" in gate["pictures_why"]
    assert gate["topics"] == {"action": 1, "depth": 10, "segmentation": 1}


def test_a_moment_its_record_and_its_map(book, looked):
    book.write(*[book.frame(n) for n in range(10)])
    page = looked()
    at = {"stream": "gate", "axis": "live", "time_us": BEGAN_US + SECOND_US}
    depth = page.get("/view/moment", **at)["records"]["depth"]
    assert page.get("/view/moment", **at, step=1)["position"] == "6"
    record = page.get("/view/record", topic="depth", id=depth["id"])
    assert (record["id"], record["data"]["size"]) == (depth["id"], len(depth_png(5)))
    answer = page.ask("GET", "/view/map?" + urlencode({"topic": "depth", "id": depth["id"]}))
    assert answer.headers["content-type"] == "image/png"
    assert "immutable" in answer.headers["cache-control"]
    assert answer.content == depth_png(5)


def test_a_timeline(book, looked):
    book.write(*[book.frame(n) for n in range(10)], book.action(0, 8, "walks"))
    told = looked().get("/view/timeline", stream="gate", axis="live", width=500, text="wal")
    assert told["lanes"][0]["items"][0]["label"] == "walks"
    assert told["covered"] == [[BEGAN_US, BEGAN_US + 1_800_000]]


def test_a_picture_that_the_job_has_published(book, looked):
    book.write(book.frame(0), book.frame(0, topic="frames", value=b"\xff\xd8 a picture"))
    page = looked()
    assert page.get("/view/streams/gate")["pictures"] == "frames"
    query = {"stream": "gate", "axis": "live", "session": CAMERA, "position": 0}
    answer = page.ask("GET", f"/view/frame?{urlencode(query)}")
    assert (answer.status, answer.headers["content-type"]) == (200, "image/jpeg")
    assert answer.content == b"\xff\xd8 a picture"
    status, why = page.refused("/view/frame", **query | {"position": 7})
    assert status == 404
    assert "--media" in why


@pytest.mark.parametrize(
    ("path", "query", "status", "why"),
    [
        ("/view/streams/gat", {}, 404, "no stream 'gat'; did you mean gate"),
        ("/view/moment", {"stream": "gate", "axis": "x"}, 404, "no frame on axis 'x'"),
        ("/view/moment", {"axis": "live"}, 422, "say stream"),
        ("/view/moment", {"stream": "gate", "axis": "live", "time_us": "now"}, 422, "whole number"),
        ("/view/moment", {"stream": "gate", "axis": "live", "step": 9}, 422, "step is 1 or -1"),
        ("/view/timeline", {"stream": "gate", "axis": "live", "width": 0}, 422, "width is 1 to"),
        ("/view/record", {"topic": "depth", "id": "nothing"}, 404, "not in the sink"),
        ("/view/map", {"topic": "depth", "id": "../../etc/passwd"}, 404, "not in the sink"),
        ("/view/frame", {"stream": "gate", "axis": "live", "side": 9999}, 422, "side is 1 to"),
        ("/static/old/app.js", {}, 404, "another release"),
    ],
)
def test_what_cannot_be_answered_says_why(book, looked, path, query, status, why):
    book.write(book.frame(0))
    told, detail = looked().refused(path, **query)
    assert (told, why in detail) == (status, True), detail


def test_a_value_is_no_map_because_somebody_asks_for_it(book, looked):
    page_in_disguise = book.frame(1, value=b"<script>alert(1)</script>")
    headers = page_in_disguise.headers | {"content-type": "text/html"}
    book.write(book.frame(0), type(page_in_disguise)("depth", "gate", headers, b"<script>"))
    status, why = looked().refused("/view/map", topic="depth", id=page_in_disguise.id)
    assert (status, "are no maps" in why) == (404, True)


STRANGE = {
    "no zone": {"time": "2026-11-30T00:00:00"},
    "no time": {"time": "soon"},
    "no scale": {"depthscale": "x"},
    "no number": {"sourcewidth": "wide"},
}


@pytest.mark.parametrize("attributes", STRANGE.values(), ids=STRANGE)
def test_a_stranger_s_record_stops_nothing(book, looked, attributes):
    book.write(*[book.frame(n) for n in range(3)])
    odd = {f"ce_{name}": text for name, text in attributes.items()}
    message = book.frame(3)
    book.write(Message("depth", "gate", {**message.headers, **odd}, message.value))
    page = looked()
    book.write(book.frame(4), book.event("disconnected", 4))
    for path in ("streams/gate", "moment", "timeline"):
        page.get(f"/view/{path}", stream="gate", axis="live", time_us=BEGAN_US)
    while page.get("/view/streams")["streams"][0]["state"] != "reconnecting":
        pass


def test_values_that_are_not_ours_stop_nothing(book, looked):
    book.write(*[book.frame(n) for n in range(3)])
    bomb = b"\x89PNG\r\n\x1a\n" + struct.pack(
        ">I4sIIBBBBB", 13, b"IHDR", 30000, 30000, 16, 0, 0, 0, 0
    )
    book.write(book.frame(3, value=bomb + struct.pack(">I", zlib.crc32(bomb[12:]))))
    said = b'{"labels": [{"id": 1, "name": "x", "score": NaN}], "start": 1e999}'
    headers = book.action(0, 2, "x").headers
    book.write(Message("action", "gate", headers, said))
    book.write(book.frame(2, topic="embedding", value=b"\0\0\xc0\x7f" * 4))
    page = looked()
    for path in ("streams/gate", "moment", "timeline"):
        page.get(f"/view/{path}", stream="gate", axis="live", time_us=BEGAN_US)
    identity = book.frame(2, topic="embedding").id
    assert page.refused("/view/similar", id=identity)[0] == 404


def test_the_page_is_of_one_release(book, looked):
    book.write(book.frame(0))
    page = looked()
    index = page.ask("GET", "/")
    assert "{{version}}" not in index.text
    assert index.headers["cache-control"] == "no-store"
    version = index.text.partition("/static/")[2].partition("/")[0]
    script = page.ask("GET", f"/static/{version}/app.js")
    assert script.headers["content-type"].startswith("text/javascript")
    assert "immutable" in script.headers["cache-control"]


def test_with_a_token_the_page_is_open_and_no_record_is(book, looked):
    book.write(book.frame(0))
    page = looked(TOKEN)
    assert page.ask("GET", "/").status == 200
    assert page.ask("GET", "/view/streams").status == 401
    assert page.ask("POST", "/session", {"token": "wrong, but long enough"}).status == 401
    cookie = page.cookie(TOKEN)
    assert page.ask("GET", "/view/streams", cookie=cookie).status == 200


def heard(socket, kind):
    """The next text of that kind, pictures and others left out."""
    while True:
        message = socket.recv(timeout=20)
        if isinstance(message, str) and json.loads(message)["kind"] == kind:
            return json.loads(message)


def pictured(socket):
    """Head and bytes of the next picture."""
    while isinstance(message := socket.recv(timeout=20), str):
        pass
    behind = 2 + int.from_bytes(message[:2])
    return json.loads(message[2:behind]), message[behind:]


def test_the_socket_tells_states_and_sends_the_newest_picture(book, looked):
    book.write(*[book.frame(n) for n in range(3)])
    socket = looked().talk("/view/live")
    socket.send(json.dumps({"watch": ["gate"], "side": 180}))
    assert [one["stream"] for one in heard(socket, "states")["streams"]] == ["gate"]
    head, png = pictured(socket)
    assert (head["stream"], head["position"], head["kind"]) == ("gate", "2", "depth")
    assert png == depth_png(2)
    book.write(*[book.frame(n) for n in range(3, 6)])
    assert heard(socket, "new")["last_us"] == BEGAN_US + SECOND_US
    socket.send(json.dumps({"drawn": "gate"}))
    assert pictured(socket)[0]["position"] == "5"


def test_a_page_that_talks_nonsense_is_let_go(book, looked):
    book.write(book.frame(0))
    socket = looked().talk("/view/live")
    socket.send("[1, 2")
    with pytest.raises(ConnectionClosedError, match="1003"):
        list(socket)


def test_a_sink_that_went_away_is_told_and_what_was_known_stays(book, looked, tmp_path):
    book.write(book.frame(0))
    page = looked()
    book.sink.close()
    book.path.rename(tmp_path / "aside.db")
    status, why = page.refused("/view/moment", stream="gate", axis="live")
    assert (status, "no such database" in why) == (503, True)
    assert [one["stream"] for one in page.get("/view/streams")["streams"]] == ["gate"]
    socket = page.talk("/view/live")
    socket.send(json.dumps({"watch": ["gate"], "side": 180}))
    while heard(socket, "states")["sink_state"] != "away":
        pass
    (tmp_path / "aside.db").rename(book.path)
    assert pictured(socket)[0]["stream"] == "gate"
    assert page.get("/view/moment", stream="gate", axis="live")["position"] == "0"


def test_a_sink_that_nobody_has_written_is_empty_and_then_there(tmp_path, looked, book):
    book.sink.close()
    book.path.unlink()
    page = looked()
    socket = page.talk("/view/live")
    assert heard(socket, "states")["sink_state"] == "empty"
    first = Book(book.path)
    first.write(first.frame(0))
    while heard(socket, "states")["sink_state"] != "there":
        pass
    first.sink.close()
    assert page.get("/view/streams")["streams"][0]["stream"] == "gate"

"""A server that answers `ICY 200 OK` is read like any other camera."""

from __future__ import annotations

import contextlib
import urllib.error
from pathlib import Path

import pytest

from pipeline.media.http import SameHost
from pipeline.media.picture import Picture
from pipeline.media.reel import VideoReel
from pipeline.media.transfer import Transfer


def test_its_stream_is_live_and_comes_whole(answering, clips, tmp_path: Path) -> None:
    film = clips.write(tmp_path / "a.ts", [clips.colour((48, 64), (80, 90, 170))] * 25)
    head = b"CY 200 OK\r\nicy-name: yard\r\nContent-Type: video/mp2t\r\n\r\n"
    with answering(b"I", head, film.read_bytes()) as url:
        way = Transfer(live=True)
        reel = VideoReel.open(url, keyframes=False, max_pixels=1 << 24, timeout_s=5, transfer=way)
        with contextlib.closing(reel):
            assert not reel.finite
            assert sum(isinstance(step, Picture) for step in reel.pictures()) == 25


def test_its_refusal_is_one(answering) -> None:
    with answering(b"ICY 401 Service Unavailable\r\n\r\n") as url:
        with pytest.raises(urllib.error.HTTPError) as caught:
            SameHost(url, 5)(url, 0, {})
        assert caught.value.code == 401
        caught.value.close()


def test_only_the_first_line_is_a_greeting(answering) -> None:
    with answering(b"HTTP/1.0 200 OK\r\n\r\nICY 200 OK\r\n") as url:
        response = SameHost(url, 5).get(url, 0, 0)
        assert response.readline() == b"ICY 200 OK\r\n"
        response.close()

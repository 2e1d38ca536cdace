"""Pictures of a whole job: they show what its streams show, of whatever shape, and hide what its
segmentation finds."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from operators.pictures.hiding import hide
from pipeline.synthetic.labels import LABELS
from pipeline.synthetic.scene import open_scene
from pipeline.synthetic.uri import parse_scene_uri

WIDE, UPRIGHT = (
    f"synthetic:world?seed=3&seconds=0.4&fps=5&size={wh}" for wh in ("640x360", "360x640")
)
STREAMS = {
    "wide": {"url": WIDE},
    "upright": {"url": UPRIGHT},
    "lower": {"url": WIDE, "region": [0, 0.5, 1, 1]},
}
HIDDEN = ("sphere", "building")
PATCH = 14


@pytest.fixture(scope="module")
def records(tools, tmp_path_factory):
    sink = f"sqlite:{tmp_path_factory.mktemp('pictures')}/p.db"
    tools.run_inline(
        [],
        sink,
        streams=STREAMS,
        weights="demo",
        short_side=112,
        operators=["segmentation", "frames"],
        overrides=[f"operators.frames.blur=[{','.join(HIDDEN)}]"],
    )
    return tools.records(sink)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("stream", "size_hw"), [("wide", (110, 196)), ("upright", (196, 110)), ("lower", (110, 392))]
)
def test_a_picture_is_the_frame_with_what_was_found_hidden(
    records, stream: str, size_hw: tuple[int, int]
) -> None:
    pictures, maps = of(stream, "frames", records), of(stream, "segmentation", records)
    assert pictures.keys() == maps.keys() == {"0", "1"}
    scene = open_scene(parse_scene_uri(STREAMS[stream]["url"]))
    ids = [label.id for label in LABELS.labels if label.name in HIDDEN]
    for position, (headers, jpeg) in pictures.items():
        assert headers["ce_blurred"] == "building,sphere"
        rgb = scene.render(int(position)).rgb
        rgb = rgb[len(rgb) // 2 :] if stream == "lower" else rgb
        found = np.isin(opened(maps[position][1]), ids)
        assert 0 < found.mean() < 1
        seen = scaled(rgb, [side * PATCH // 4 for side in found.shape])  # 4 cells a patch
        hidden = hide(seen, found, PATCH)
        got, want, bare = opened(jpeg), scaled(hidden, size_hw), scaled(rgb, size_hw)
        assert got.shape == (*size_hw, 3)
        assert error(got, want) < 4
        there = scaled((hidden != seen).any(axis=-1), size_hw)
        assert error(got[there], bare[there]) > 2 * error(got[there], want[there])


def of(stream: str, topic: str, records) -> dict[str, tuple[dict[str, str], bytes]]:
    """Position -> record."""
    return {
        id_.split("/")[3]: record
        for (one, id_), record in records.items()
        if one == topic and record[0]["ce_streamid"] == stream
    }


def opened(picture: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(picture)))


def scaled(rgb: np.ndarray, size_hw) -> np.ndarray:
    return np.asarray(Image.fromarray(rgb).resize(size_hw[::-1], Image.Resampling.BICUBIC))


def error(got: np.ndarray, want: np.ndarray) -> float:
    return float(np.abs(got.astype(int) - want).mean())

"""The identity of a frame goes through JSON and comes back as it was."""

import json

from operators.frames import FrameInfo


def test_a_frames_identity_goes_through_json(frame):
    for info in (frame(7, clock="capture", epoch=3, preparation="field"), frame(0, pts=None)):
        assert FrameInfo.from_json(json.loads(json.dumps(info.to_json()))) == info


def test_a_picture_is_no_frame_of_a_stream():
    assert FrameInfo.of_picture((48, 64)).source_hw == (48, 64)
    assert FrameInfo.of_picture() == FrameInfo.of_picture((1, 1))

"""The identity of a frame goes through JSON and comes back as it was."""

import json
from dataclasses import replace

import numpy as np

from operators.frames import FrameInfo


def test_a_frames_identity_goes_through_json(frame):
    for info in (frame(7, clock="capture", epoch=3, preparation="field"), frame(0, pts=None)):
        assert FrameInfo.from_json(json.loads(json.dumps(info.to_json()))) == info


def test_a_picture_is_no_frame_of_a_stream():
    assert FrameInfo.of_picture((48, 64)).source_hw == (48, 64)
    assert FrameInfo.of_picture() == FrameInfo.of_picture((1, 1))


def test_some_rows_of_features_have_their_own_pixels(features_of, frame, tiny):
    seen = features_of([frame(number) for number in range(3)], tiny)
    assert seen.take([0, 1, 2]) is seen
    np.testing.assert_array_equal(seen.take([2, 0]).pixels, seen.pixels[[2, 0]])


def test_some_rows_of_features_have_their_own_rules(features_of, frame, tiny):
    seen = replace(features_of([frame(number) for number in range(3)], tiny), taken=(1, 2, 3))
    assert seen.take([2, 0]).taken == (3, 1)
    assert replace(seen, taken=()).take([2, 0]).taken == ()

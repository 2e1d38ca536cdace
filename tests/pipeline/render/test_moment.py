"""Of a recording only those seconds are analysed that a picture of one moment needs."""

import pytest

from pipeline.configuration.config import Config
from pipeline.render.moment import needed_span_s


def config(*operators, sampling=None, **settings):
    own = {name: settings if name == "action" else {} for name in operators}
    return Config(operators=own, sampling=sampling or {"fps": 5})


@pytest.mark.parametrize(
    ("given", "still_s", "span_s"),
    [
        (config("depth", "pca"), 10.0, (9.6, 10.1)),
        (config("depth"), 0.0, (0.0, 0.1)),
        (config("depth", sampling={"fps": 0.5}), 10.0, (6.0, 10.1)),
        (config("depth", sampling={"keyframes": True}), 10.0, (0.0, 10.1)),
        # Windows of 1.6 s, one every 0.8 s: whole ones that end after 8.4 s, up to 12.5 s.
        (config("depth", "action"), 10.0, (7.199, 12.5)),
        (config("action", frames=5, stride=5), 10.0, (7.999, 12.1)),
        (config("action"), 1.0, (0.0, 3.5)),
        (config("action", sampling={"every": 3}), 10.0, None),
        (config("depth", "action", stride=0), 1.0, None),
        (config("action", stride=[1]), 1.0, None),
        (config("action", stride="1"), 1.0, None),
        (config("action", stride=True), 1.0, None),
        (config("action", frames="abc"), 1.0, None),
        (config("action", frames=10**400), 1.0, None),
    ],
)
def test_what_a_moment_needs(given, still_s, span_s):
    found = needed_span_s(given, still_s, fps=10)
    assert found == (span_s and pytest.approx(span_s))


def test_windows_of_a_head_are_as_long_as_it_was_trained():
    demo = Config(weights="demo", operators={"action": {}})
    assert needed_span_s(demo, 10.0, fps=10) == pytest.approx((7.199, 12.5))

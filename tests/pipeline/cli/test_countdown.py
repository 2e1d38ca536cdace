"""Progress with the time left, where no terminal is."""

from pipeline.cli.countdown import countdown
from pipeline.testing import ManualClock


def test_a_line_every_few_seconds_says_what_is_left(capsys):
    clock = ManualClock()
    with countdown("drawing", clock=clock) as tell:
        for share in (0.1, 0.2, 0.25, 0.3):
            clock.advance(3)
            tell(share, f"{share:.2f} of it")
        clock.advance(6)
        tell(None, "a while")
    assert capsys.readouterr().err.splitlines() == [
        "drawing: 0.20 of it, about 24 s left",
        "drawing: 0.30 of it, about 28 s left",
        "drawing: a while",
    ]

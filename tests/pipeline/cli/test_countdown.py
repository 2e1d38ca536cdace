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
        "drawing: 0.30 of it, about 32 s left",
        "drawing: a while",
    ]


def test_nothing_is_said_of_the_rest_until_some_of_it_is_done(capsys):
    clock = ManualClock()
    with countdown("fit", clock=clock) as tell:
        for step in range(3):  # the first item waits for the model, and one in 500 says nothing
            clock.advance(6)
            tell((1 + 2 * step) / 500, f"{1 + 2 * step}/500")
        clock.advance(6)
        tell(16 / 500, "16/500")
    assert capsys.readouterr().err.splitlines() == [
        "fit: 1/500",
        "fit: 3/500",
        "fit: 5/500",
        "fit: 16/500, about 581 s left",
    ]


def test_the_time_of_one_part_is_no_measure_of_the_next(capsys):
    clock = ManualClock()
    with countdown("fit", clock=clock) as tell:
        for step in range(1, 101):
            clock.advance(60)
            tell(step / 100, f"features {step}/100")
        capsys.readouterr()
        for step in range(1, 1001):
            clock.advance(0.1)
            tell(step / 1000, f"training {step}/1000")
    told = capsys.readouterr().err.splitlines()
    assert told[0] == "fit: training 50/1000, about 95 s left"
    assert told[-1] == "fit: training 1000/1000, about 0 s left"

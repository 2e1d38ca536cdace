"""`dinostream calibrate` at its edge; what is computed is in tests/pipeline/calibrate."""

import pytest


@pytest.mark.parametrize("point", ["320,210,inf", "nan,210,3", "320,210", "1,2,3,4", "x,210,3"])
def test_what_is_no_point_is_refused_before_a_record_is_read(dinostream, point):
    done = dinostream("calibrate", "gate", "--point", "1,2,3", "--point", point)
    assert done.returncode == 2
    assert f"--point takes X,Y,METRES, such as 320,410,2.5; got '{point}'" in done.stderr


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "give two points or more with --point"),
        (("--point", "1,2,3", "--focal", "500"), "not both"),
        (("--focal", "far"), "--focal takes pixels, 1 to 1000000"),
        (("--focal", "0"), "--focal takes pixels, 1 to 1000000"),
        (("--focal", "500,1e-320"), "--focal takes pixels, 1 to 1000000"),
        (("--focal", "1e308"), "--focal takes pixels, 1 to 1000000"),
        (("--focal", "nan"), "--focal takes pixels, 1 to 1000000"),
        (("--focal", "500,500,500"), "--focal takes pixels, 1 to 1000000"),
    ],
)
def test_points_or_a_focal_length(dinostream, options, said):
    done = dinostream("calibrate", "gate", *options)
    assert done.returncode == 2
    assert said in done.stderr

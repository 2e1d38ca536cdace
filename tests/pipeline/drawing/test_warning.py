"""What stands over pictures whose values are not to be believed."""

from pipeline.drawing.warning import OUT_OF_DOMAIN, UNTRAINED, warning_text


def test_random_weights_are_worse_than_weights_that_know_no_footage():
    assert warning_text(untrained=False, out_of_domain=False) == ""
    assert warning_text(untrained=False, out_of_domain=True) == OUT_OF_DOMAIN
    assert warning_text(untrained=True, out_of_domain=True) == UNTRAINED

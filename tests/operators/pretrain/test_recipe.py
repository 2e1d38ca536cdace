import pytest

from operators.errors import UsageError
from operators.pretrain.recipe import Recipe


def test_the_rate_grows_with_the_root_of_the_batch():
    assert Recipe(steps=10, batch=1024, rate_warmup=0.0).rates.at(0) == pytest.approx(4e-3)
    assert Recipe(steps=10, batch=64, rate_warmup=0.0).rates.at(0) == pytest.approx(1e-3)


def test_a_short_training_goes_through_the_same_phases():
    short, long = (Recipe(steps=steps, batch=64) for steps in (1000, 100_000))
    for share in (0.0, 0.05, 0.1, 0.3, 0.7):
        one, other = round(share * 1000), round(share * 100_000)
        for of in ("rates", "decays", "momenta", "temperatures"):
            assert getattr(short, of).at(one) == pytest.approx(getattr(long, of).at(other))
        assert short.prototypes_learn(one) == long.prototypes_learn(other)


def test_it_begins_and_ends_as_published():
    own = Recipe(steps=1000, batch=1024)
    assert own.rates.at(0) == 0
    assert own.rates.at(100) == pytest.approx(4e-3)
    assert own.rates.at(1000) == pytest.approx(1e-6)
    assert (own.decays.at(0), own.decays.at(1000)) == (pytest.approx(0.04), pytest.approx(0.2))
    assert (own.momenta.at(0), own.momenta.at(1000)) == (pytest.approx(0.994), 1.0)
    assert own.temperatures.at(0) == pytest.approx(0.04)
    assert own.temperatures.at(300) == own.temperatures.at(999) == pytest.approx(0.07)
    assert not own.prototypes_learn(9)
    assert own.prototypes_learn(10)


@pytest.mark.parametrize("wrong", [{"steps": 0}, {"batch": 1}, {"drop": 1.0}])
def test_what_cannot_be_trained_is_refused(wrong):
    with pytest.raises(UsageError):
        Recipe(**{"steps": 10, "batch": 8} | wrong)

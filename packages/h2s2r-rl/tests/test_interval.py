import pytest

from h2s2r_rl.interval import wilson
from h2s2r_schemas.errors import SchemaError


def test_published_example():
    # Newcombe 1998, Statistics in Medicine 17, 857-872, table I: 81 of 263, 15 of 148, 0 of 20, 1 of 29.
    for successes, trials, low, high in [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611)]:
        assert wilson(successes, trials) == pytest.approx((low, high), abs=1e-4)


def test_stays_within_shares_and_is_even():
    low, high = wilson(20, 20)
    assert high == 1.0
    assert low == pytest.approx(1.0 - wilson(0, 20)[1])


@pytest.mark.parametrize(("successes", "trials"), [(1, 0), (3, 2), (-1, 5)])
def test_refuses_counts_that_cannot_be(successes, trials):
    with pytest.raises(SchemaError, match="at least one trial"):
        wilson(successes, trials)

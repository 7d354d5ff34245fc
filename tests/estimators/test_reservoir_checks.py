"""scikit-learn's own checks of the estimators with a reservoir, all of them, with options that suit tiny data."""

from sklearn.utils.estimator_checks import parametrize_with_checks

import neurojit as nj

# A row of a series means nothing without the rows before it.
_IN_TIME = dict.fromkeys(
    ("check_methods_sample_order_invariance", "check_methods_subset_invariance"),
    "the rows of X are the steps of one series",
)


def expected_failures(estimator):
    return _IN_TIME if isinstance(estimator, nj.EchoStateRegressor) else {}


@parametrize_with_checks(
    [nj.EchoStateRegressor(n_units=50, washout=0)],
    expected_failed_checks=expected_failures,
)
def test_scikit_learn_check(estimator, check):
    check(estimator)

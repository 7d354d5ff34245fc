"""scikit-learn's own checks of the estimators with a reservoir, all of them, with options that suit tiny data."""

from sklearn.utils.estimator_checks import parametrize_with_checks

import neurojit as nj

# A row of a series means nothing without the rows before it.
_IN_TIME = dict.fromkeys(
    ("check_methods_sample_order_invariance", "check_methods_subset_invariance"),
    "the rows of X are the steps of one series",
)
_SERIES = (nj.EchoStateRegressor, nj.LiquidStateRegressor, nj.NextGenerationReservoir, nj.ReservoirTransformer)


def expected_failures(estimator):
    in_time = isinstance(estimator, _SERIES) and getattr(estimator, "pooling", None) is None
    return _IN_TIME if in_time else {}


@parametrize_with_checks(
    [
        nj.EchoStateRegressor(n_units=50, washout=0),
        nj.EchoStateClassifier(n_units=50),
        nj.ReservoirTransformer(n_units=20),
        nj.ReservoirTransformer(n_units=20, pooling="mean"),
        nj.NextGenerationReservoir(),
        nj.ExtremeLearningMachineRegressor(),
        nj.ExtremeLearningMachineClassifier(),
        nj.LiquidStateRegressor((8, 8, 8), n_substeps=5, max_rate=0.5, trace=3.0, ridge=1e-6),
        nj.LiquidStateClassifier(n_substeps=3, max_rate=1.0, n_segments=2),
    ],
    expected_failed_checks=expected_failures,
)
def test_scikit_learn_check(estimator, check):
    check(estimator)

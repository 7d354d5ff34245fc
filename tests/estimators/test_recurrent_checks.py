"""scikit-learn's own checks of the recurrent estimators that take matrices, all of them."""

from sklearn.utils.estimator_checks import parametrize_with_checks

from neurojit import RecurrentClassifier, RecurrentRegressor


@parametrize_with_checks(
    [
        RecurrentClassifier(units=16, max_epochs=10, learning_rate=0.01),
        RecurrentRegressor(units=16, max_epochs=40, learning_rate=0.01),
        RecurrentClassifier(cell="gru", units=16, max_epochs=10, learning_rate=0.01),
    ]
)
def test_scikit_learn_check(estimator, check):
    check(estimator)

"""scikit-learn's own checks of an estimator, all of them, with every other parameter at its default."""

from sklearn.utils.estimator_checks import parametrize_with_checks

from neurojit import ConvNetClassifier, ConvNetRegressor


@parametrize_with_checks([ConvNetClassifier(max_epochs=5), ConvNetRegressor(max_epochs=5)])
def test_scikit_learn_check(estimator, check):
    check(estimator)

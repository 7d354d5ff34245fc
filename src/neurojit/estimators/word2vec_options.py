"""The options of `Word2Vec`: what each may be, as data; the error messages follow from it."""

import numbers

from neurojit.core.cuda import current_target
from neurojit.core.device import check_thread_count
from neurojit.core.random import Key
from neurojit.estimators.options import Flag, Number, OneOf, check_callbacks

_POSITIVE_INTEGER = Number("an integer >= 1", numbers.Integral, 1)
_AT_LEAST_ZERO = Number("a finite number >= 0", numbers.Real, 0)
_RATE = Number("a finite number > 0", numbers.Real, 0, exclusive=True)

_CONSTRAINTS = {
    "vector_size": _POSITIVE_INTEGER,
    "window": Number("an integer from 1 to 1000", numbers.Integral, 1, below=1001),
    "min_count": _POSITIVE_INTEGER,
    "architecture": OneOf(("skip-gram", "cbow")),
    "objective": OneOf(("negative-sampling", "softmax", "hierarchical-softmax")),
    "negative": Number("an integer from 1 to 1000", numbers.Integral, 1, below=1001),
    "ns_exponent": Number("a finite number", numbers.Real, -float("inf"), exclusive=True),
    "sample": _AT_LEAST_ZERO,
    "learning_rate": _RATE,
    "min_learning_rate": _AT_LEAST_ZERO,
    "epochs": _POSITIVE_INTEGER,
    "shrink_windows": Flag(),
    "shared_negatives": Flag(),
    "update": OneOf(("deterministic", "hogwild")),
    "device": OneOf(("cpu", "cuda", "auto")),
    "verbose": Number("a truth value or an integer >= 0", numbers.Integral, 0, truth=True),
}


def check_options(estimator):
    """Raise TypeError or ValueError unless every option of a `Word2Vec` is one it knows."""
    for name, constraint in _CONSTRAINTS.items():
        constraint.check(name, getattr(estimator, name))
    if estimator.max_vocab is not None:
        _POSITIVE_INTEGER.check("max_vocab", estimator.max_vocab)
    if estimator.min_learning_rate > estimator.learning_rate:
        raise ValueError(
            f"min_learning_rate: got {estimator.min_learning_rate!r},"
            f" wanted at most the learning rate {estimator.learning_rate!r}"
        )
    if estimator.device == "cuda":
        if estimator.objective != "negative-sampling":
            raise ValueError(
                f"objective: got {estimator.objective!r}, wanted 'negative-sampling' for device='cuda', which has no"
                " kernels for another"
            )
        current_target()
    check_callbacks(estimator.callbacks)
    if estimator.n_threads is not None:
        check_thread_count(estimator.n_threads)
    if isinstance(estimator.random_state, numbers.Integral):
        Key.from_random_state(estimator.random_state)

"""What an estimator accepts as X: checked once without a copy, then turned into network input batch by batch."""

import contextlib
import math

import numpy as np
from sklearn.utils.validation import check_array, validate_data

_UINT8_STEP = 1 / 255
_BATCH_VALUES = 1 << 17  # values in a batch of predictions: what the maps of a few layers take stays small
_LARGEST_BATCH = 512


@contextlib.contextmanager
def naming(argument):
    """Put the argument's name before the messages of errors raised by others in the ``with`` block."""
    try:
        yield
    except TypeError as error:
        raise TypeError(f"{argument}: {error}") from error
    except ValueError as error:
        raise ValueError(f"{argument}: {error}") from error


def check_input(estimator, X, *, reset):
    """`X` as a finite numeric array of at least two axes; arrays are taken as they are, never copied.

    With ``reset`` the estimator learns its `n_features_in_` (and the names of a data frame's columns); without, they
    are compared.
    """
    with naming("X"):
        if (X if hasattr(X, "ndim") else np.asarray(X)).ndim > 2:
            if reset:
                validate_data(estimator, X, reset=True, skip_check_array=True)  # forgets column names
            X = check_array(X, allow_nd=True, input_name="X", estimator=estimator)
        else:
            X = validate_data(estimator, X, reset=reset)
    if X.dtype.kind not in "fiub":
        raise TypeError(f"X: got dtype {X.dtype}, wanted real numbers")
    if X.size == 0:
        raise ValueError(f"X: got an empty array of shape {X.shape}, wanted at least one value a sample")
    if reset:
        estimator.n_features_in_ = math.prod(X.shape[1:])
    return X


def resolve_input_shape(X, input_shape):
    """The shape of one sample as the network sees it: (height, width, channels) or (length, channels)."""
    if input_shape is not None:
        check_form(X, input_shape, flat=True)
        return tuple(int(size) for size in input_shape)
    if X.ndim == 4:
        return X.shape[1:]
    if X.ndim in (2, 3):
        return (*X.shape[1:], 1)
    raise ValueError(
        f"X: got {X.ndim} axes, shape {X.shape}, wanted images (n, height, width, channels) or (n, height, width),"
        " or signals (n, length); input_shape=(length, channels) allows signals of several channels"
    )


def check_form(X, input_shape, *, flat):
    """Raise ValueError unless samples in `X` have `input_shape`, or the same without one channel, or (flat) as rows."""
    input_shape = tuple(input_shape)
    forms = [input_shape]
    if input_shape[-1] == 1:
        forms.append(input_shape[:-1])
    if flat:
        forms.append((math.prod(input_shape),))
    if X.shape[1:] not in forms:
        wanted = " or ".join("(" + ", ".join(["n", *map(str, form)]) + ")" for form in dict.fromkeys(forms))
        raise ValueError(f"X: got shape {X.shape}, wanted {wanted}")


def precision(X):
    """The float type to work in: float64 when X has it, else float32."""
    return np.dtype(np.float64 if X.dtype.kind == "f" and X.dtype.itemsize >= 8 else np.float32)


class BatchMaker:
    """Turns rows of X into network input, a batch at a time, so that X is never copied whole.

    uint8 values are images of 0 to 255 and become 0 to 1; all others are taken as they are.
    """

    def __init__(self, X, input_shape, dtype):
        self.X = X
        self.input_shape = tuple(input_shape)
        self.dtype = dtype

    def __call__(self, rows):
        """The network input for some rows of X, given by their indices (or a slice)."""
        batch = self.X[rows]
        if self.X.dtype == np.uint8:
            x = np.multiply(batch, self.dtype.type(_UINT8_STEP), dtype=self.dtype, order="C")
        else:
            x = np.ascontiguousarray(batch, dtype=self.dtype)
        return x.reshape(len(batch), *self.input_shape)

    def __iter__(self):
        """All rows in order, in batches of a size that suits prediction."""
        size = max(1, min(_LARGEST_BATCH, _BATCH_VALUES // math.prod(self.input_shape)))
        for start in range(0, len(self.X), size):
            yield self(slice(start, start + size))

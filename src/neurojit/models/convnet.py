"""The network an estimator takes when none is given: its depth follows from the size of the input."""

from neurojit.layers import (
    BatchNorm,
    Conv1d,
    Conv2d,
    Dense,
    Dropout,
    Flatten,
    MaxPool1d,
    MaxPool2d,
    ReLU,
    Sequential,
)

_LAST_MAP = 7  # blocks are added until the map is no wider than this
_LEAST_BLOCKS = 2
_MOST_FILTERS = 256
_SMALLEST_POOLED = 4  # maps narrower than this are not pooled
_SHORT_SIGNAL = 64  # signals shorter than this are treated like the columns of a table
_OUTPUT_GAIN = 0.1


def default_convnet(input_shape, n_outputs):
    """A sensible convolutional network for images or signals of a given size.

    Images of shape (height, width, channels), and signals of shape (length, channels) of 64 values or more, go through
    blocks of convolution (3 wide), max pooling by two, batch normalization (Ioffe and Szegedy 2015) and rectifier: two,
    or as many as make the map at most 7 wide, with 32 filters in the first and twice as many in each further one, up to
    256. A dense layer of 128 units stands between dropouts (Srivastava et al. 2014). Pooling before normalizing makes
    that a quarter of the work.

    Shorter signals, such as the columns of a table, get one convolution of 32 filters and a dense layer of 64 units,
    without pooling, normalization or dropout: an output then depends on its own row alone in training too, and weights
    of samples count exactly like repetitions.

    Parameters
    ----------
    input_shape : tuple of int
        (height, width, channels) or (length, channels).
    n_outputs : int
        Number of outputs: classes, or values to predict.

    Returns
    -------
    Sequential

    Raises
    ------
    ValueError
        If `input_shape` has neither two nor three axes.

    Examples
    --------
    >>> from neurojit.models import default_convnet
    >>> default_convnet((28, 28, 1), 10).output_shape((28, 28, 1))
    (10,)
    """
    if len(input_shape) not in (2, 3):
        raise ValueError(f"input_shape: got {input_shape}, wanted (height, width, channels) or (length, channels)")
    narrowest = min(input_shape[:-1])
    if len(input_shape) == 2 and narrowest < _SHORT_SIGNAL:
        return _table_network(n_outputs)
    convolution, pool = (Conv2d, MaxPool2d) if len(input_shape) == 3 else (Conv1d, MaxPool1d)
    layers, filters, blocks = [], 32, 0
    while blocks < _LEAST_BLOCKS or narrowest > _LAST_MAP:
        layers.append(convolution(filters, 3, padding=1, use_bias=False))
        if narrowest >= _SMALLEST_POOLED:
            layers.append(pool(2))
            narrowest //= 2
        layers += [BatchNorm(), ReLU()]
        filters, blocks = min(2 * filters, _MOST_FILTERS), blocks + 1
    head = [Flatten(), Dropout(0.25), Dense(128), ReLU(), Dropout(0.5), Dense(n_outputs, gain=_OUTPUT_GAIN)]
    return Sequential(*layers, *head)


def _table_network(n_outputs):
    return Sequential(
        Conv1d(32, 3, padding=1), ReLU(), Flatten(), Dense(64), ReLU(), Dense(n_outputs, gain=_OUTPUT_GAIN)
    )

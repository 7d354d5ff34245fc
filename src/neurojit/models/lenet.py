"""LeNet-5, the network that read the cheques."""

from neurojit.layers import Conv2d, Dense, Flatten, MaxPool2d, ReLU, Sequential


def lenet(n_outputs=10):
    """LeNet-5 (LeCun, Bottou, Bengio and Haffner 1998, figure 2) with rectifiers and max pooling.

    Two 5x5 convolutions of 6 and 16 filters, each pooled by two, then dense layers of 120 and 84 units. The paper's
    scaled tanh, averaging pools and radial-basis outputs gave way to what every later network uses.

    Parameters
    ----------
    n_outputs : int, default=10
        Number of outputs: classes, or values to predict.

    Returns
    -------
    Sequential
        A network for images of shape (n, height, width, channels), 28x28 and larger ones.

    Examples
    --------
    >>> from neurojit.models import lenet
    >>> lenet(10).output_shape((28, 28, 1))
    (10,)
    """
    return Sequential(
        Conv2d(6, 5, padding=2),
        ReLU(),
        MaxPool2d(2),
        Conv2d(16, 5),
        ReLU(),
        MaxPool2d(2),
        Flatten(),
        Dense(120),
        ReLU(),
        Dense(84),
        ReLU(),
        Dense(n_outputs),
    )

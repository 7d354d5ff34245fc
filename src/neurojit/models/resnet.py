"""Residual networks for images."""

from neurojit.layers import BatchNorm, Conv2d, Dense, GlobalAvgPool, MaxPool2d, ReLU, Residual, Sequential

_STAGES = ((64, 1), (128, 2), (256, 2), (512, 2))  # filters, and stride of the first block


def resnet18(n_outputs=1000):
    """The residual network with 18 layers: He, Zhang, Ren and Sun, "Deep residual learning" (CVPR 2016), table 1.

    A convolution 7 wide with stride 2 and a max pooling, four stages of two blocks, the mean over the map, a dense
    layer. A block is two convolutions 3 wide, each normalized, around which its input is added (equation 1); where a
    stage halves the map and doubles the filters the input goes through a 1 x 1 convolution (option B of the paper).

    Parameters
    ----------
    n_outputs : int, default=1000
        Number of outputs: classes, or values to predict.

    Returns
    -------
    Sequential
        For images (n, height, width, channels), in the paper 224 x 224 x 3.

    Examples
    --------
    >>> from neurojit.models import resnet18
    >>> resnet18(10).output_shape((224, 224, 3))
    (10,)
    """
    layers = [*_normalized(64, 7, 2), ReLU(), MaxPool2d(3, 2, padding=1)]
    for filters, stride in _STAGES:
        layers += [*_block(filters, stride), *_block(filters, 1)]
    return Sequential(*layers, GlobalAvgPool(), Dense(n_outputs))


def _normalized(filters, width, stride):
    """A convolution and its normalization."""
    return [Conv2d(filters, width, stride=stride, padding=width // 2, use_bias=False), BatchNorm()]


def _block(filters, stride):
    projection = Sequential(*_normalized(filters, 1, stride)) if stride > 1 else None
    residual = [*_normalized(filters, 3, stride), ReLU(), *_normalized(filters, 3, 1)]
    return [Residual(*residual, projection=projection), ReLU()]

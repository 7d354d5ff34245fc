"""Pooling layers."""

from neurojit import functional as F
from neurojit.core.shapes import integers
from neurojit.functional.op import Op
from neurojit.functional.windows import Pooling
from neurojit.layers.base import Layer


class _Pool(Layer):
    """A pooling over windows of `rank` spatial axes."""

    rank: int
    function: Op
    dilation = 1

    def operation(self, mode):
        return type(self).function, (), self._options()

    def output_shape(self, input_shape):
        if len(input_shape) != self.rank + 1:
            raise ValueError(
                f"{type(self).__name__}: got inputs of shape {tuple(input_shape)} after the batch axis,"
                f" wanted {self.rank} spatial axes and the channels"
            )
        *spatial, channels = input_shape
        pooling = Pooling.of(spatial, self.window, self.stride, self.padding, self.dilation, self.ceil_mode)
        return (*pooling.output, channels)


class _MaxPool(_Pool):
    def __init__(self, window, stride=None, padding=0, dilation=1, ceil_mode=False):
        self.window = window
        self.stride = stride
        self.padding = padding
        self.dilation = dilation
        self.ceil_mode = ceil_mode

    def _options(self):
        return {name: getattr(self, name) for name in ("window", "stride", "padding", "dilation", "ceil_mode")}


class _LpPool(_Pool):
    def __init__(self, window, p=2, stride=None, padding=0, ceil_mode=False):
        self.window = window
        self.p = p
        self.stride = stride
        self.padding = padding
        self.ceil_mode = ceil_mode

    def _options(self):
        return {name: getattr(self, name) for name in ("window", "p", "stride", "padding", "ceil_mode")}


class _AvgPool(_Pool):
    def __init__(self, window, stride=None, padding=0, ceil_mode=False, count_include_pad=True):
        self.window = window
        self.stride = stride
        self.padding = padding
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad

    def _options(self):
        return {name: getattr(self, name) for name in ("window", "stride", "padding", "ceil_mode", "count_include_pad")}


class MaxPool2d(_MaxPool):
    """Largest value of every window of an image, channel by channel.

    Parameters
    ----------
    window : int or (int, int)
        Height and width of the window.
    stride : int or (int, int) or None, default=None
        Step from one window to the next; None is the window.
    padding, dilation, ceil_mode
        As in `neurojit.functional.max_pool2d`.

    See Also
    --------
    neurojit.functional.max_pool2d : the equation.

    Examples
    --------
    >>> import numpy as np
    >>> from neurojit.layers import MaxPool2d
    >>> MaxPool2d(2)(np.ones((1, 6, 6, 3), np.float32)).shape
    (1, 3, 3, 3)
    """

    rank = 2
    function = F.max_pool2d


class MaxPool1d(_MaxPool):
    """Largest value of every window of a signal, channel by channel.

    Parameters
    ----------
    window : int
        Length of the window.
    stride : int or None, default=None
        Step from one window to the next; None is the window.
    padding, dilation, ceil_mode
        As in `neurojit.functional.max_pool1d`.

    See Also
    --------
    neurojit.functional.max_pool1d : the equation.

    Examples
    --------
    >>> import numpy as np
    >>> from neurojit.layers import MaxPool1d
    >>> MaxPool1d(2)(np.ones((1, 6, 3), np.float32)).shape
    (1, 3, 3)
    """

    rank = 1
    function = F.max_pool1d


class AvgPool2d(_AvgPool):
    """Mean of every window of an image, channel by channel.

    Parameters
    ----------
    window : int or (int, int)
        Height and width of the window.
    stride : int or (int, int) or None, default=None
        Step from one window to the next; None is the window.
    padding, ceil_mode, count_include_pad
        As in `neurojit.functional.avg_pool2d`.

    See Also
    --------
    neurojit.functional.avg_pool2d : the equation.

    Examples
    --------
    >>> import numpy as np
    >>> from neurojit.layers import AvgPool2d
    >>> AvgPool2d(2)(np.ones((1, 6, 6, 3), np.float32)).shape
    (1, 3, 3, 3)
    """

    rank = 2
    function = F.avg_pool2d


class AvgPool1d(_AvgPool):
    """Mean of every window of a signal, channel by channel.

    Parameters
    ----------
    window : int
        Length of the window.
    stride : int or None, default=None
        Step from one window to the next; None is the window.
    padding, ceil_mode, count_include_pad
        As in `neurojit.functional.avg_pool1d`.

    See Also
    --------
    neurojit.functional.avg_pool1d : the equation.

    Examples
    --------
    >>> import numpy as np
    >>> from neurojit.layers import AvgPool1d
    >>> AvgPool1d(2)(np.ones((1, 6, 3), np.float32)).shape
    (1, 3, 3)
    """

    rank = 1
    function = F.avg_pool1d


class MaxPool3d(_MaxPool):
    """Largest value of every window of a volume, channel by channel.

    Parameters
    ----------
    window : int or (int, int, int)
        Depth, height and width of the window.
    stride : int or (int, int, int) or None, default=None
        Step from one window to the next; None is the window.
    padding, dilation, ceil_mode
        As in `neurojit.functional.max_pool3d`.

    See Also
    --------
    neurojit.functional.max_pool3d : the equation.

    Examples
    --------
    >>> import numpy as np
    >>> from neurojit.layers import MaxPool3d
    >>> MaxPool3d(2)(np.ones((1, 6, 6, 6, 3), np.float32)).shape
    (1, 3, 3, 3, 3)
    """

    rank = 3
    function = F.max_pool3d


class AvgPool3d(_AvgPool):
    """Mean of every window of a volume, channel by channel.

    Parameters
    ----------
    window : int or (int, int, int)
        Depth, height and width of the window.
    stride : int or (int, int, int) or None, default=None
        Step from one window to the next; None is the window.
    padding, ceil_mode, count_include_pad
        As in `neurojit.functional.avg_pool3d`.

    See Also
    --------
    neurojit.functional.avg_pool3d : the equation.

    Examples
    --------
    >>> import numpy as np
    >>> from neurojit.layers import AvgPool3d
    >>> AvgPool3d(2)(np.ones((1, 6, 6, 6, 3), np.float32)).shape
    (1, 3, 3, 3, 3)
    """

    rank = 3
    function = F.avg_pool3d


class LpPool2d(_LpPool):
    """p-norm of every window of an image, channel by channel.

    Parameters
    ----------
    window : int or (int, int)
        Height and width of the window.
    p : float, default=2
        Which norm, 1 or more.
    stride : int or (int, int) or None, default=None
        Step from one window to the next; None is the window.
    padding, ceil_mode
        As in `neurojit.functional.lp_pool2d`.

    See Also
    --------
    neurojit.functional.lp_pool2d : the equation.

    Examples
    --------
    >>> import numpy as np
    >>> from neurojit.layers import LpPool2d
    >>> LpPool2d(2)(np.ones((1, 6, 6, 3), np.float32)).shape
    (1, 3, 3, 3)
    """

    rank = 2
    function = F.lp_pool2d


class LpPool1d(_LpPool):
    """p-norm of every window of a signal, channel by channel.

    Parameters
    ----------
    window : int
        Length of the window.
    p : float, default=2
        Which norm, 1 or more.
    stride : int or None, default=None
        Step from one window to the next; None is the window.
    padding, ceil_mode
        As in `neurojit.functional.lp_pool1d`.

    See Also
    --------
    neurojit.functional.lp_pool1d : the equation.

    Examples
    --------
    >>> import numpy as np
    >>> from neurojit.layers import LpPool1d
    >>> LpPool1d(2)(np.ones((1, 6, 3), np.float32)).shape
    (1, 3, 3)
    """

    rank = 1
    function = F.lp_pool1d


class LpPool3d(_LpPool):
    """p-norm of every window of a volume, channel by channel.

    Parameters
    ----------
    window : int or (int, int, int)
        Depth, height and width of the window.
    p : float, default=2
        Which norm, 1 or more.
    stride : int or (int, int, int) or None, default=None
        Step from one window to the next; None is the window.
    padding, ceil_mode
        As in `neurojit.functional.lp_pool3d`.

    See Also
    --------
    neurojit.functional.lp_pool3d : the equation.

    Examples
    --------
    >>> import numpy as np
    >>> from neurojit.layers import LpPool3d
    >>> LpPool3d(2)(np.ones((1, 6, 6, 6, 3), np.float32)).shape
    (1, 3, 3, 3, 3)
    """

    rank = 3
    function = F.lp_pool3d


class AdaptiveAvgPool2d(Layer):
    """Means of so many windows of an image as asked for, channel by channel.

    Parameters
    ----------
    output_size : int or (int, int)
        Height and width of the result.

    See Also
    --------
    neurojit.functional.adaptive_avg_pool2d : the equation.

    Examples
    --------
    >>> import numpy as np
    >>> from neurojit.layers import AdaptiveAvgPool2d
    >>> AdaptiveAvgPool2d(7)(np.ones((2, 10, 9, 3), np.float32)).shape
    (2, 7, 7, 3)
    """

    def __init__(self, output_size):
        self.output_size = output_size
        self._output = integers(output_size, "output_size", 2)

    def operation(self, mode):
        return F.adaptive_avg_pool2d, (), {"output_size": self.output_size}

    def output_shape(self, input_shape):
        if len(input_shape) != 3:
            raise ValueError(f"AdaptiveAvgPool2d: got inputs of shape {tuple(input_shape)}, wanted images")
        return (*self._output, input_shape[-1])

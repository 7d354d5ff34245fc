"""Unpooling layers: down to the maxima, through other layers, and back to where the maxima were."""

from neurojit.functional import max_unpool1d, max_unpool2d, max_unpool3d
from neurojit.functional.max_pooling import max_vjp_with_switches
from neurojit.functional.op import Op
from neurojit.layers.base import INFERENCE
from neurojit.layers.combinators import Combinator, Sequential
from neurojit.layers.pooling import MaxPool1d, MaxPool2d, MaxPool3d


class _MaxUnpool(Combinator):
    """A max pooling, layers behind it, and the unpooling by its switches."""

    pool: type
    function: Op

    def __init__(self, *layers):
        super().__init__(*layers)
        if not layers or not isinstance(layers[0], self.pool):
            got = type(layers[0]).__name__ if layers else "no layer"
            raise TypeError(f"layers[0]: got {got}, wanted a {self.pool.__name__}, by whose switches to unpool")
        self.rebuild()

    def rebuild(self):
        """Make the layers behind the pooling anew of `layers`, after these were exchanged."""
        self._inner = Sequential(*self.layers[1:])

    def build(self, input_shape, key, dtype="float32"):
        pooled = self.layers[0].output_shape(input_shape)
        self._inner.make(pooled, key, dtype)
        given = self._inner.output_shape(pooled)
        if given != pooled:
            raise ValueError(f"{type(self).__name__}: the layers give {given}, wanted {pooled} as the pooling leaves")

    def output_shape(self, input_shape):
        return tuple(input_shape)

    def forward(self, x, mode=INFERENCE):
        self.ensure_built(x)
        pool, options, _ = self._pooling(mode)
        y, switches = pool(x, **options, return_switches=True)
        return type(self).function(self._inner.forward(y, mode), switches, spatial_shape=x.shape[1:-1])

    def vjp(self, x, mode=INFERENCE):
        self.ensure_built(x)
        _, options, rank = self._pooling(mode)
        pooled, switches, pool_pullback = max_vjp_with_switches(x, rank=rank, **options)
        z, inner_pullback = self._inner.vjp(pooled, mode)
        y, unpool_pullback = type(self).function.vjp(z, switches, spatial_shape=x.shape[1:-1])

        def backward(dy, need_dx=True):
            dpooled, gradients = inner_pullback(unpool_pullback(dy), need_dx)
            return (pool_pullback(dpooled) if need_dx else None), gradients

        return y, backward

    def _pooling(self, mode):
        op, _, options = self.layers[0].operation(mode)
        return op, options, self.layers[0].rank


class MaxUnpool2d(_MaxUnpool):
    """A max pooling of images, layers behind it, and the way back: values return to where the maxima were.

    The switches of the pooling stay within the pass and go to the unpooling alone, so networks that go down and up
    again, such as deconvolutional ones, are written as they are nested. All other places are zero (Zeiler and Fergus,
    "Visualizing and understanding convolutional networks" (ECCV 2014), section 2.1; Badrinarayanan, Kendall and
    Cipolla, "SegNet" (2017), section 3).

    Parameters
    ----------
    *layers : Layer
        A `MaxPool2d`, and what is applied in sequence to the maxima: layers that leave their shape as it is.

    Raises
    ------
    TypeError
        If the first layer is no `MaxPool2d`.

    See Also
    --------
    neurojit.functional.max_unpool2d : the equation.

    Examples
    --------
    >>> import numpy as np
    >>> from neurojit.layers import MaxPool2d, MaxUnpool2d
    >>> image = np.array([[1, 2], [4, 3]], np.float32).reshape(1, 2, 2, 1)
    >>> MaxUnpool2d(MaxPool2d(2))(image)[0, :, :, 0]
    array([[0., 0.],
           [4., 0.]], dtype=float32)
    """

    pool = MaxPool2d
    function = max_unpool2d


class MaxUnpool1d(_MaxUnpool):
    """A max pooling of signals, layers behind it, and the way back: values return to where the maxima were.

    Parameters
    ----------
    *layers : Layer
        A `MaxPool1d`, and what is applied in sequence to the maxima: layers that leave their shape as it is.

    Raises
    ------
    TypeError
        If the first layer is no `MaxPool1d`.

    See Also
    --------
    MaxUnpool2d : the same for images, and its source.
    neurojit.functional.max_unpool1d : the equation.

    Examples
    --------
    >>> import numpy as np
    >>> from neurojit.layers import MaxPool1d, MaxUnpool1d
    >>> MaxUnpool1d(MaxPool1d(2))(np.array([1, 2, 4, 3], np.float32).reshape(1, 4, 1)).ravel()
    array([0., 2., 4., 0.], dtype=float32)
    """

    pool = MaxPool1d
    function = max_unpool1d


class MaxUnpool3d(_MaxUnpool):
    """A max pooling of volumes, layers behind it, and the way back: values return to where the maxima were.

    Parameters
    ----------
    *layers : Layer
        A `MaxPool3d`, and what is applied in sequence to the maxima: layers that leave their shape as it is.

    Raises
    ------
    TypeError
        If the first layer is no `MaxPool3d`.

    See Also
    --------
    MaxUnpool2d : the same for images, and its source.
    neurojit.functional.max_unpool3d : the equation.

    Examples
    --------
    >>> import numpy as np
    >>> from neurojit.layers import MaxPool3d, MaxUnpool3d
    >>> MaxUnpool3d(MaxPool3d(2))(np.arange(8, dtype=np.float32).reshape(1, 2, 2, 2, 1)).ravel()
    array([0., 0., 0., 0., 0., 0., 0., 7.], dtype=float32)
    """

    pool = MaxPool3d
    function = max_unpool3d

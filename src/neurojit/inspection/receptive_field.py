"""What part of the input each layer's outputs see."""

import dataclasses

from neurojit.core.shapes import integers, paddings, window_extent
from neurojit.core.tables import Table
from neurojit.layers import Combinator, Concat, Flatten, GlobalAvgPool, GlobalMaxPool, Residual, Sequential, WeightNorm
from neurojit.layers.normalization import InstanceNorm

_ANY_SIZE = 1 << 20  # of an input whose size does not matter to paddings


@dataclasses.dataclass(frozen=True)
class Field:
    """What the outputs of one layer see, along each spatial axis.

    Parameters
    ----------
    layer : str
        Its place in the network and its kind.
    size : tuple of int or None
        Inputs between the first and the last one seen by an output, both counted; None is all inputs.
    stride : tuple of int or None
        Inputs from one output's field to the next one's.
    offset : tuple of int or None
        The input where the field of the first output begins: below 0 it lies in the padding.

    Examples
    --------
    >>> from neurojit.inspection import Field
    >>> Field("0 Conv2d", (3, 3), (1, 1), (-1, -1)).size
    (3, 3)
    """

    layer: str
    size: tuple | None
    stride: tuple | None
    offset: tuple | None

    def union(self, other, layer):
        """The smallest field that holds both: for branches that come together."""
        if self.size is None or other.size is None:
            return Field(layer, None, None, None)
        if self.stride != other.stride:
            raise ValueError(f"network: {layer}: got branches of strides {self.stride} and {other.stride}, wanted one")
        offset = tuple(map(min, self.offset, other.offset))
        ends = (max(a + n, b + m) for a, n, b, m in zip(self.offset, self.size, other.offset, other.size, strict=True))
        return Field(layer, tuple(end - a for end, a in zip(ends, offset, strict=True)), self.stride, offset)


def receptive_field(network, input_shape=None):
    r"""Find which inputs the outputs of every layer of a network see.

    With a window of k, stride s, dilation d and p places of padding before it, a layer on fields of size r, stride j
    and offset o has

    .. math::

        r' = r + d (k - 1) j, \quad j' = s j, \quad o' = o - p j

    (Araujo, Norris and Sim, "Computing receptive fields of convolutional neural networks" (Distill 2019), equations 1
    and 2.)

    Parameters
    ----------
    network : Layer
        Built or not.
    input_shape : tuple of int, optional
        Of one sample; needed only where ``padding="same"`` meets a stride, since the padding then depends on the size.

    Returns
    -------
    Table of Field
        One row for each layer that is not made of others, in the order they are passed, and one for each combinator in
        which branches come together; prints as a table.

    Raises
    ------
    TypeError
        If a layer is no window on its input that is known.
    ValueError
        If branches of different strides come together, or `input_shape` is needed.

    Examples
    --------
    The context module of Yu and Koltun, "Multi-scale context aggregation by dilated convolutions" (ICLR 2016), section
    2: dilations that double make fields that grow exponentially.

    >>> from neurojit.inspection import receptive_field
    >>> from neurojit.layers import Conv2d, Sequential
    >>> network = Sequential(*(Conv2d(8, 3, padding=d, dilation=d) for d in (1, 2, 4)))
    >>> print(receptive_field(network))
    layer        size  stride   offset
    0 Conv2d    3 x 3   1 x 1  -1 x -1
    1 Conv2d    7 x 7   1 x 1  -3 x -3
    2 Conv2d  15 x 15   1 x 1  -7 x -7
    """
    ranks = [layer.rank for layer, _ in network.walk() if hasattr(layer, "rank")]
    rank = ranks[0] if ranks else len(input_shape) - 1 if input_shape is not None else 1
    rows: list[Field] = []
    start = Field("input", (1,) * rank, (1,) * rank, (0,) * rank)
    _pass(network, start, None if input_shape is None else tuple(input_shape), "", rows)
    return Table(rows)


def _pass(layer, field, shape, path, rows):
    """The field behind a layer; adds the rows of what it is made of."""
    name = f"{path} {type(layer).__name__}".strip()
    if not isinstance(layer, Combinator):
        rows.append(_behind(layer.inner if isinstance(layer, WeightNorm) else layer, field, shape, name))
        return rows[-1]
    if isinstance(layer, Sequential):
        return _chain(layer.children(), field, shape, path, rows)
    if isinstance(layer, Residual):
        parts = layer.children()
        projection = parts.pop("projection", None)
        inner = _chain(parts, field, shape, path, rows)
        if projection is not None:
            field = _pass(projection, field, shape, _joined(path, "projection"), rows)
        rows.append(inner.union(field, name))
        return rows[-1]
    if isinstance(layer, Concat):
        ends = [_pass(child, field, shape, _joined(path, key), rows) for key, child in layer.children().items()]
        whole = ends[0]
        for end in ends[1:]:
            whole = whole.union(end, name)
        rows.append(dataclasses.replace(whole, layer=name))
        return rows[-1]
    raise TypeError(f"network: got a {type(layer).__name__}, wanted Sequential, Residual and Concat as combinators")


def _chain(children, field, shape, path, rows):
    for key, child in children.items():
        field = _pass(child, field, shape, _joined(path, key), rows)
        shape = None if shape is None else child.output_shape(shape)
    return field


def _joined(path, key):
    return f"{path}.{key}" if path else key


def _behind(layer, field, shape, name):
    """The field behind a layer that is not made of others."""
    if field.size is None or isinstance(layer, Flatten | GlobalAvgPool | GlobalMaxPool | InstanceNorm):
        return Field(name, None, None, None)
    if not hasattr(layer, "rank"):
        return dataclasses.replace(field, layer=name)
    if hasattr(layer, "output_padding"):
        raise TypeError(f"network: {name}: got a transposed convolution, wanted layers that look through windows")
    window, stride, dilation, before = _window(layer, len(field.size), shape, name)
    extents = [window_extent(k, d) for k, d in zip(window, dilation, strict=True)]
    size = tuple(r + (e - 1) * j for r, e, j in zip(field.size, extents, field.stride, strict=True))
    offset = tuple(o - p * j for o, p, j in zip(field.offset, before, field.stride, strict=True))
    return Field(name, size, tuple(s * j for s, j in zip(stride, field.stride, strict=True)), offset)


def _window(layer, rank, shape, name):
    """Window, stride, dilation and padding before, of a convolution or a pooling."""
    given = layer.kernel_size if hasattr(layer, "kernel_size") else layer.window
    window = integers(given, "window", rank)
    stride = window if layer.stride is None else integers(layer.stride, "stride", rank)
    dilation = integers(layer.dilation, "dilation", rank)
    if layer.padding == "same" and max(stride) > 1 and shape is None:
        raise ValueError(f'input_shape: got None, wanted it, as {name} has padding "same" with a stride')
    spatial = (_ANY_SIZE,) * rank if shape is None else shape[:-1]
    padding = paddings(layer.padding, spatial, window, stride, dilation)
    return window, stride, dilation, tuple(before for before, _ in padding)

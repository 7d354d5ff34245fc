"""Windows, strides, paddings and output sizes, written once."""

import numbers

__all__ = ["integers", "output_size", "paddings", "window_extent"]


def _is_integer(value):
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


def integers(value, name, rank, *, least=1):
    """An option given once or per axis, as a tuple of `rank` ints.

    Raises
    ------
    TypeError
        If it is not an int or a sequence of ints.
    ValueError
        If there are more or fewer than `rank` of them, or one is below `least`.
    """
    values = (value,) * rank if _is_integer(value) else value
    if not isinstance(values, tuple | list) or not all(_is_integer(v) for v in values):
        raise TypeError(f"{name}: got {value!r}, wanted an int or {rank} ints")
    if len(values) != rank:
        raise ValueError(f"{name}: got {len(values)} values {value!r}, wanted an int or {rank} ints")
    if min(values) < least:
        raise ValueError(f"{name}: got {value!r}, wanted values >= {least}")
    return tuple(int(v) for v in values)


def window_extent(window, dilation):
    """How many input positions a dilated window spans: dilation (window - 1) + 1."""
    return dilation * (window - 1) + 1


def paddings(padding, spatial, window, stride, dilation):
    """Any form of padding as pairs ((before, after), ...), one for each spatial axis.

    Parameters
    ----------
    padding : int, tuple or str
        An int for every side, an int per axis, a pair (before, after) per axis, ``"valid"`` (none), ``"same"``
        (output = ceil(input / stride), the extra on the far side), or for one axis ``"causal"`` (all before).
    spatial, window, stride, dilation : tuple of int
        Lengths of the input's spatial axes and the window's numbers for each.

    Returns
    -------
    tuple of (int, int)

    Raises
    ------
    TypeError
        If it is none of these forms.
    ValueError
        If a value is negative, the number of axes is wrong or the word is unknown.
    """
    rank = len(spatial)
    if isinstance(padding, str):
        return tuple(
            _named_padding(padding, rank, *axis) for axis in zip(spatial, window, stride, dilation, strict=True)
        )
    if isinstance(padding, tuple | list) and any(isinstance(pair, tuple | list) for pair in padding):
        if len(padding) != rank or any(_is_integer(pair) for pair in padding):
            raise ValueError(f"padding: got {padding!r}, wanted {rank} pairs (before, after)")
        return tuple(integers(pair, "padding", 2, least=0) for pair in padding)
    return tuple((p, p) for p in integers(padding, "padding", rank, least=0))


def _named_padding(padding, rank, size, window, stride, dilation):
    extent = window_extent(window, dilation)
    if padding == "valid":
        return 0, 0
    if padding == "same":
        total = max((-(-size // stride) - 1) * stride + extent - size, 0)
        return total // 2, total - total // 2
    if padding == "causal" and rank == 1:
        return extent - 1, 0
    words = "'same', 'valid' or 'causal'" if rank == 1 else "'same' or 'valid'"
    raise ValueError(f"padding: got {padding!r}, wanted an int, ints or pairs per axis, or {words}")


def output_size(size, window, stride, padding, dilation):
    """Output length of a windowed operation on one axis: floor((size + before + after - extent) / stride) + 1.

    Raises
    ------
    ValueError
        If the window does not fit into the padded input.
    """
    padded = size + padding[0] + padding[1]
    extent = window_extent(window, dilation)
    if extent > padded:
        raise ValueError(
            f"window: got {window} with dilation {dilation}, which spans {extent} positions,"
            f" wanted at most the padded input's {padded}"
        )
    return (padded - extent) // stride + 1

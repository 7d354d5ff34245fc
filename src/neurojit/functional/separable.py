"""Kernels as products of a column and a row."""

import numpy as np

from neurojit.core.arrays import canonical


def separate_kernel(kernel):
    r"""Factor kernels into a column and a row, exactly where they have rank 1, else as well as can be.

    .. math:: w[u, v] \approx \mathrm{column}[u]\, \mathrm{row}[v]

    Convolving with the column and then with the row costs kh + kw products a position, not kh kw.

    Parameters
    ----------
    kernel : array, shape (kernel_height, kernel_width, ...)
        One kernel, or a bank of them along further axes, each of which is factored by itself; float32 or float64.

    Returns
    -------
    column : array, shape (kernel_height, ...)
    row : array, shape (kernel_width, ...)
    error : array, shape (...)
        The Frobenius norm of what the product leaves of each kernel.

    Raises
    ------
    TypeError
        If `kernel` is not of real numbers.
    ValueError
        If it has fewer than two axes, or an empty one.

    Notes
    -----
    A kernel of rank 1 is its column through its largest entry times its row through it. The best product for any other
    takes the largest singular value and its vectors (Eckart and Young, "The approximation of one matrix by another of
    lower rank" (1936)); the error is then the root of the sum of the squares of the other singular values.

    Examples
    --------
    >>> import numpy as np
    >>> import neurojit.functional as F
    >>> sobel = np.array([[1, 0, -1], [2, 0, -2], [1, 0, -1]], np.float32)
    >>> column, row, error = F.separate_kernel(sobel)
    >>> column, row, float(error)
    (array([0.5, 1. , 0.5], dtype=float32), array([ 2.,  0., -2.], dtype=float32), 0.0)
    """
    kernel = canonical(kernel, "kernel")
    if kernel.ndim < 2 or kernel.size == 0:
        raise ValueError(f"kernel: got shape {kernel.shape}, wanted (kernel_height, kernel_width, ...), not empty")
    bank = np.moveaxis(kernel, (0, 1), (-2, -1))
    column, row = _through_largest(bank)
    best_column, best_row = _of_largest_singular_value(bank)
    rounding = 4 * np.finfo(kernel.dtype).eps * np.abs(bank).max(axis=(-2, -1))
    is_exact = np.abs(bank - _outer(column, row)).max(axis=(-2, -1)) <= rounding
    column = np.where(is_exact[..., None], column, best_column)
    row = np.where(is_exact[..., None], row, best_row)
    error = np.linalg.norm(bank - _outer(column, row), axis=(-2, -1))
    return np.moveaxis(column, -1, 0), np.moveaxis(row, -1, 0), error


def _outer(column, row):
    return column[..., :, None] * row[..., None, :]


def _through_largest(bank):
    """The row through the largest entry of each kernel, and the column through it, divided by it."""
    flat = np.abs(bank).reshape(*bank.shape[:-2], -1)
    at_row, at_column = np.divmod(flat.argmax(axis=-1)[..., None, None], bank.shape[-1])
    row = np.take_along_axis(bank, at_row, axis=-2)[..., 0, :]
    column = np.take_along_axis(bank, at_column, axis=-1)[..., 0]
    largest = np.take_along_axis(row, at_column[..., 0], axis=-1)
    return np.divide(column, largest, out=np.zeros_like(column), where=largest != 0), row


def _of_largest_singular_value(bank):
    left, values, right = np.linalg.svd(bank, full_matrices=False)
    root = np.sqrt(values[..., :1])
    return left[..., 0] * root, right[..., 0, :] * root

"""Matrices that are sums of shifted diagonals."""

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True)
class ShiftMatrix:
    """A square matrix whose row i holds values[k, i] in column (i + shifts[k]) mod N.

    All rows read along the same few cyclic shifts of the state, so a product with it loads whole vectors and gathers
    nothing. With random shifts and independent values its spectrum fills a disc as that of a random sparse matrix does.

    Parameters
    ----------
    values : numpy.ndarray, shape (fan_in, N)
    shifts : numpy.ndarray of int64, shape (fan_in,)
        Distinct, from 0 to N - 1.

    Examples
    --------
    >>> import numpy as np
    >>> from neurojit.reservoirs import ShiftMatrix
    >>> ShiftMatrix(np.array([[1.0, 2.0, 3.0]]), np.array([1])).tocsr().toarray()
    array([[0., 1., 0.],
           [0., 0., 2.],
           [3., 0., 0.]])
    """

    values: np.ndarray
    shifts: np.ndarray

    @classmethod
    def dense(cls, matrix):
        """Any square array, as the sum of all its N shifted diagonals."""
        rows, shifts = np.arange(len(matrix)), np.arange(len(matrix))
        return cls(matrix[rows, (rows + shifts[:, None]) % len(matrix)], shifts)

    @property
    def shape(self):
        """(N, N)."""
        return (self.values.shape[1],) * 2

    @property
    def nnz(self):
        """How many numbers are stored."""
        return self.values.size

    def __mul__(self, factor):
        return ShiftMatrix(self.values * factor, self.shifts)

    def tocsr(self):
        """The same matrix as a `scipy.sparse.csr_array`."""
        from scipy.sparse import csr_array

        fan_in, n = self.values.shape
        columns = (np.arange(n)[:, None] + self.shifts) % n
        matrix = csr_array((self.values.T.reshape(-1), columns.reshape(-1), np.arange(n + 1) * fan_in), self.shape)
        matrix.sort_indices()
        return matrix

"""How strongly a matrix stretches: spectral radius, largest singular value, and scaling to either."""

import warnings

import numpy as np

from neurojit.core.random import Key
from neurojit.reservoirs.shifts import ShiftMatrix

_DENSE = 300  # up to so many units all eigenvalues are computed
_START = Key(20)  # of the start vectors: fixed, so that a matrix has one radius
_BASIS = (
    48  # vectors Arnoldi keeps: eigenvalues of random matrices crowd at the rim, and a small basis misses the first
)
_WANTED = 4  # eigenvalues: the first of several is the more exact
_TOLERANCE = 1e-5
_ORTHOGONAL = 4000  # up to so many units a matrix is tried for being orthogonal
_NOTHING = 1e-12  # a radius smaller than so, beside the matrix' numbers, is zero with rounding


def spectral_radius(W):
    """The largest absolute eigenvalue of a square matrix.

    Parameters
    ----------
    W : array-like, sparse array or ShiftMatrix, shape (N, N)

    Returns
    -------
    float
        Exact for rings, permutations, multiples of orthogonal matrices and small matrices; for others by ARPACK from a
        fixed start, to about six digits.

    Raises
    ------
    ValueError
        If W is not square or not finite.

    Examples
    --------
    >>> from neurojit.reservoirs import reservoir_matrix, spectral_radius
    >>> spectral_radius(reservoir_matrix(50, topology="ring"))
    1.0
    """
    W = _csr(W)
    n = W.shape[0]
    if n == 0 or W.nnz == 0:
        return 0.0
    if np.diff(W.indptr).max() <= 1:
        return _radius_of_cycles(W)
    if n <= _DENSE:
        return float(np.abs(np.linalg.eigvals(W.toarray())).max())
    if n <= _ORTHOGONAL and W.nnz == n * n:
        scale = _orthogonal_scale(W.toarray())
        if scale is not None:
            return scale
    return _arnoldi(W)


def spectral_norm(W):
    """The largest singular value of a matrix.

    Parameters
    ----------
    W : array-like, sparse array or ShiftMatrix, shape (N, N)

    Returns
    -------
    float

    Examples
    --------
    >>> import numpy as np
    >>> from neurojit.reservoirs import spectral_norm
    >>> float(round(spectral_norm(np.array([[0.0, 2.0], [0.0, 0.0]])), 6))
    2.0
    """
    from scipy.sparse.linalg import svds

    W = _csr(W)
    if W.shape[0] <= _DENSE:
        return float(np.linalg.norm(W.toarray(), 2))
    return float(svds(W, k=1, v0=_start(W.shape[0]), return_singular_vectors=False)[0])


def scale_spectral_radius(W, radius):
    """W times the factor that gives it a spectral radius.

    Parameters
    ----------
    W : array-like, sparse array or ShiftMatrix, shape (N, N)
    radius : float
        Above 0.

    Returns
    -------
    scipy.sparse.csr_array or ShiftMatrix
        Of the kind that W is.

    Raises
    ------
    ValueError
        If `radius` is not above zero, or W is nilpotent: its spectral radius is 0, whatever the factor.

    Examples
    --------
    >>> from neurojit.reservoirs import reservoir_matrix, scale_spectral_radius, spectral_radius
    >>> W = scale_spectral_radius(reservoir_matrix(200, random_state=0), 0.9)
    >>> round(spectral_radius(W), 6)
    0.9
    """
    check_radius(radius)
    found = spectral_radius(W)
    if found <= _NOTHING * _largest(W):
        raise ValueError(
            "W: got a matrix with spectral radius 0 (nilpotent), wanted one that can be scaled to a radius"
        )
    return _scaled(W, radius / found)


def scale_spectral_norm(W, norm):
    """W times the factor that gives it a largest singular value: below 1, states converge whatever the input.

    Parameters
    ----------
    W : array-like, sparse array or ShiftMatrix, shape (N, N)
    norm : float
        Above 0.

    Returns
    -------
    scipy.sparse.csr_array or ShiftMatrix
        Of the kind that W is.

    Raises
    ------
    ValueError
        If `norm` is not above zero, or W is zero.

    Examples
    --------
    >>> from neurojit.reservoirs import reservoir_matrix, scale_spectral_norm, spectral_norm
    >>> W = scale_spectral_norm(reservoir_matrix(50, topology="delay_line"), 0.5)
    >>> float(round(spectral_norm(W), 6))
    0.5
    """
    if not 0 < norm < np.inf:
        raise ValueError(f"norm: got {norm!r}, wanted a finite number > 0")
    found = spectral_norm(W)
    if found == 0:
        raise ValueError("W: got a matrix of zeros, wanted one that can be scaled to a norm")
    return _scaled(W, norm / found)


def growth_rate(W, n_steps=2000):
    """How much a vector grows in a step of x -> W x, in the long run: the power iteration's view of the radius.

    Parameters
    ----------
    W : array-like, sparse array or ShiftMatrix, shape (N, N)
    n_steps : int, default=2000
        Steps that are averaged, after as many that are not.

    Returns
    -------
    float
        Near the spectral radius, from below or above, by about one part in `n_steps`.

    Examples
    --------
    >>> import numpy as np
    >>> from neurojit.reservoirs import growth_rate
    >>> float(round(growth_rate(np.array([[0.0, -0.5], [0.5, 0.0]])), 6))
    0.5
    """
    W = _csr(W)
    x = _start(W.shape[0])
    total = 0.0
    for step in range(2 * n_steps):
        x = W @ x
        size = np.linalg.norm(x)
        if size == 0:
            return 0.0
        x /= size
        total += np.log(size) if step >= n_steps else 0.0
    return float(np.exp(total / n_steps))


def check_radius(radius):
    """Raise ValueError unless a spectral radius can be wanted."""
    if not 0 < radius < np.inf:
        raise ValueError(f"spectral_radius: got {radius!r}, wanted a finite number > 0")


def _csr(W):
    from scipy.sparse import csr_array

    W = W.tocsr() if isinstance(W, ShiftMatrix) else csr_array(W)
    if W.shape[0] != W.shape[1]:
        raise ValueError(f"W: got shape {W.shape}, wanted a square matrix")
    if not np.isfinite(W.data).all():
        raise ValueError("W: got NaN or infinite numbers, wanted finite ones")
    W.eliminate_zeros()
    return W


def _scaled(W, factor):
    if isinstance(W, ShiftMatrix):
        return W * factor
    from scipy.sparse import csr_array

    return csr_array(W) * factor


def _largest(W):
    numbers = W.values if isinstance(W, ShiftMatrix) else _csr(W).data
    return np.abs(numbers).max(initial=0.0)


def _start(n):
    return _START.uniform(n, 0.5, 1.5, np.float64)


def _radius_of_cycles(W):
    """Where each row has at most one number, eigenvalues live on the cycles of the graph: geometric means."""
    n = W.shape[0]
    reads = np.full(n, -1)
    size = np.zeros(n)
    filled = np.diff(W.indptr) == 1
    reads[filled], size[filled] = W.indices, np.abs(W.data)
    seen = np.full(n, -1)
    radius = 0.0
    for unit in range(n):
        path, at = [], unit
        while at >= 0 and seen[at] < 0:
            seen[at] = unit
            path.append(at)
            at = reads[at]
        if at >= 0 and seen[at] == unit:  # the path runs into itself: a cycle that was not seen before
            cycle = path[path.index(at) :]
            radius = max(radius, float(np.exp(np.log(size[cycle]).mean())))
    return radius


def _orthogonal_scale(W):
    """c where W is c times an orthogonal matrix, else None; one row tells most that are not."""
    square = float(W[0] @ W[0])
    if np.abs(W[1:] @ W[0]).max() > 1e-10 * square:
        return None
    product = W @ W.T
    return float(np.sqrt(square)) if np.allclose(product, square * np.eye(len(W)), atol=1e-10 * square) else None


def _arnoldi(W):
    from scipy.sparse.linalg import ArpackError, ArpackNoConvergence, eigs

    n = W.shape[0]
    try:
        values = eigs(W, k=_WANTED, v0=_start(n), ncv=min(_BASIS, n - 1), tol=_TOLERANCE, return_eigenvectors=False)
        return float(np.abs(values).max())
    except (ArpackError, ArpackNoConvergence):
        warnings.warn("W: its eigenvalues did not converge, the spectral radius is estimated by powers", stacklevel=3)
        return growth_rate(W)

"""Matrices as `core.lookup` wants them: panels of rows against segments of units, a few slots for each row."""

import numpy as np

from neurojit.core.lookup import CODE_BITS, MOST_SLOTS, SEGMENT, available

_GATHER = 5.5  # how much longer a gathered slot takes than one that is looked up, or than the codes of a panel


def best_slots(W, rows, dtype):
    """How many slots panels should have for the least time, 0 for no panels at all.

    Parameters
    ----------
    W : scipy.sparse.csr_array
    rows : int
        Rows of a block.
    dtype : dtype

    Returns
    -------
    int
    """
    if not available(dtype) or W.nnz == 0:
        return 0
    n = W.shape[0]
    segments = -(-n // SEGMENT)
    if W.nnz * _GATHER < 2 * n * segments:  # one slot for each segment would take longer than gathering all
        return 0
    row, segment = _places(W)
    counts = np.bincount(row * segments + segment, minlength=n * segments).reshape(n, segments)
    padded = np.zeros((-n % rows, segments), np.int64)
    blocks = np.concatenate([counts, padded]).reshape(-1, rows, segments)

    def cost(slots):
        left_over = np.maximum(blocks - slots, 0).sum(axis=2).max(axis=1).mean()
        return (segments * (1 + slots) if slots else 0) + _GATHER * left_over

    return min(range(MOST_SLOTS + 1), key=cost)


def pack_panels(W, rows, slots):
    """The first numbers of each row in each segment, and the others.

    Parameters
    ----------
    W : scipy.sparse.csr_array
        With sorted indices.
    rows, slots : int
        Rows of a block, slots of a panel.

    Returns
    -------
    panels : numpy.ndarray, shape (blocks, segments, slots, rows)
    codes : numpy.ndarray of uint32, shape (blocks, segments, rows)
    rest : scipy.sparse.csr_array
    """
    from scipy.sparse import csr_array

    n = W.shape[0]
    blocks, segments = -(-n // rows), -(-n // SEGMENT)
    row, segment = _places(W)
    group = row * segments + segment
    slot = np.arange(W.nnz) - np.searchsorted(group, group)
    held = slot < slots
    panels, codes = np.zeros((blocks, segments, slots, rows)), np.zeros((blocks, segments, rows), np.uint32)
    r, g, k = row[held], segment[held], slot[held]
    panels[r // rows, g, k, r % rows] = W.data[held]
    code = (W.indices[held] % SEGMENT).astype(np.uint32) << (CODE_BITS * k).astype(np.uint32)
    np.bitwise_or.at(codes, (r // rows, g, r % rows), code)
    rest = csr_array((W.data[~held], (row[~held], W.indices[~held])), W.shape)
    rest.sort_indices()
    return panels, codes, rest


def _places(W):
    """The row of each number, and the segment its unit is in."""
    return np.repeat(np.arange(W.shape[0]), np.diff(W.indptr)), W.indices // SEGMENT

"""Matrices as the update kernels want them: numbers of a block of rows side by side."""

import dataclasses

import numpy as np

from neurojit.core.sparse import ROWS_AT_ONCE, SERIES, block
from neurojit.reservoirs.panels import best_slots, pack_panels
from neurojit.reservoirs.shifts import ShiftMatrix

_LINE = 64  # bytes
_MOST_SHORT = 1 << 16  # units that two bytes can number: indices are half of what is read
_NEAR = 1 << 15  # bytes of states that stay in the first-level cache
_LEAST_RUN = 8  # numbers of a row that are worth to read and write its sum once more


@dataclasses.dataclass(frozen=True)
class Packed:
    """Several square matrices of one size in the arrays of `kernels.cpu.reservoir`."""

    panels: np.ndarray
    codes: np.ndarray
    weight: np.ndarray
    index: np.ndarray
    starts: np.ndarray
    shift: np.ndarray

    @property
    def nbytes(self):
        """Bytes that one step of the update reads of it."""
        return self.panels.nbytes + self.codes.nbytes + self.weight.nbytes + self.index.nbytes

    def arrays(self):
        """As the kernels take them."""
        return tuple(getattr(self, field.name) for field in dataclasses.fields(self))


def pack(matrices, dtype):
    """Pack matrices, all of one size and either all `ShiftMatrix` with as many shifts or all sparse arrays.

    Parameters
    ----------
    matrices : list of ShiftMatrix or list of scipy.sparse.csr_array
    dtype : dtype

    Returns
    -------
    Packed
    """
    rows = block(dtype)
    shift = np.zeros((len(matrices), 0), np.int64)
    held, codes = np.zeros((len(matrices), 0, 0, 0, 0), dtype), np.zeros((len(matrices), 0, 0, 0), np.uint32)
    if isinstance(matrices[0], ShiftMatrix):
        packed = [_pack_shifts(W, rows) for W in matrices]
        shift = np.stack([W.shifts for W in matrices]).astype(np.int64)
    else:
        slots = best_slots(matrices[0], rows, dtype)
        if slots:
            parts = [pack_panels(W, rows, slots) for W in matrices]
            held, codes = (np.stack([part[i] for part in parts]) for i in (0, 1))
            matrices = [rest for _, _, rest in parts]
        packed = [_pack_rows(W, rows) for W in matrices]
    weight = np.concatenate([weight for weight, _, _ in packed])
    index = np.concatenate([index for _, index, _ in packed])
    return Packed(
        _aligned(held.astype(dtype)),
        _aligned(codes),
        _aligned(weight.astype(dtype)),
        _aligned(index.astype(_index_type(matrices))),
        _joined([starts for _, _, starts in packed]),
        shift,
    )


def _index_type(matrices):
    return np.uint16 if matrices[0].shape[0] <= _MOST_SHORT else np.int32


def _joined(starts):
    """Where slots of matrices begin that are stored one behind the other."""
    first = np.cumsum([0, *(own[-1] for own in starts[:-1])])
    return np.stack(starts) + first[:, None]


def _aligned(array):
    """The same array at the start of a cache line: a vector that straddles two takes twice as long to load."""
    room = np.empty(array.nbytes + _LINE, np.uint8)
    start = -room.ctypes.data % _LINE
    moved = room[start : start + array.nbytes].view(array.dtype).reshape(array.shape)
    moved[:] = array
    return moved


def _pack_shifts(W, rows):
    fan_in, n = W.values.shape
    blocks = -(-n // rows)
    padded = np.zeros((fan_in, blocks * rows))
    padded[:, :n] = W.values
    weight = padded.reshape(fan_in, blocks, rows).transpose(1, 0, 2).reshape(-1)
    return weight, np.zeros(0), np.arange(blocks + 1, dtype=np.int64) * fan_in


def _pack_rows(W, rows):
    """Sliced rows: each block has as many slots as its longest row (Monakov, Lokhmotov and Avetisyan 2010)."""
    n = W.shape[0]
    blocks = -(-n // rows)
    length = np.zeros(blocks * rows, np.int64)
    length[:n] = np.diff(W.indptr)
    starts = np.concatenate([[0], np.cumsum(length.reshape(blocks, rows).max(axis=1))])
    row = np.repeat(np.arange(n), length[:n])
    slot = starts[row // rows] + np.arange(W.nnz) - W.indptr[row]
    place = slot * rows + row % rows
    weight, index = np.zeros(starts[-1] * rows), np.zeros(starts[-1] * rows)
    weight[place], index[place] = W.data, W.indices
    return weight, index, starts


def pack_beside(matrices, dtype):
    """Pack matrices as `kernels.cpu.reservoir_batch` wants them, for series side by side.

    Where a row has enough numbers for each of them, the units are cut into segments that stay in the first-level cache,
    and all rows are multiplied by one segment before the next one comes.

    Parameters
    ----------
    matrices : list of ShiftMatrix or scipy.sparse.csr_array
        Of one size.
    dtype : dtype

    Returns
    -------
    weight, index, order, starts : numpy.ndarray
    """
    matrices = [W.tocsr() for W in matrices]
    n = matrices[0].shape[0]
    width = _NEAR // (SERIES * np.dtype(dtype).itemsize)
    segments = -(-n // width)
    if matrices[0].nnz < _LEAST_RUN * n * segments:
        width, segments = n, 1
    weight, index, order, starts = zip(*(_pack_beside(W, width, segments) for W in matrices), strict=True)
    return (
        _aligned(np.concatenate(weight).astype(dtype)),
        _aligned(np.concatenate(index).astype(_index_type(matrices))),
        np.stack(order).astype(np.int32),
        _joined(starts),
    )


def _pack_beside(W, width, segments):
    """Parts of rows with as many numbers stand together: a block has as many slots as the longest of its parts."""
    n = W.shape[0]
    rows = -(-n // ROWS_AT_ONCE) * ROWS_AT_ONCE
    row, segment = np.repeat(np.arange(n), np.diff(W.indptr)), W.indices // width
    counts = np.bincount(segment * rows + row, minlength=segments * rows).reshape(segments, rows)
    order = np.argsort(-counts, axis=1, kind="stable")
    place = np.argsort(order, axis=1)[segment, row]
    longest = np.take_along_axis(counts, order, axis=1)[:, ::ROWS_AT_ONCE]
    starts = np.concatenate([[0], np.cumsum(longest)])
    part = row * segments + segment
    slot = np.arange(W.nnz) - np.searchsorted(part, part)
    slot += starts[segment * (rows // ROWS_AT_ONCE) + place // ROWS_AT_ONCE]
    at = slot * ROWS_AT_ONCE + place % ROWS_AT_ONCE
    weight, index = np.zeros((2, starts[-1] * ROWS_AT_ONCE))
    weight[at], index[at] = W.data, W.indices
    return weight, index, order.reshape(-1, ROWS_AT_ONCE), starts

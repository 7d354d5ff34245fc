"""Matrices as the update kernels want them: numbers of a block of rows side by side."""

import dataclasses

import numpy as np

from neurojit.core.sparse import block
from neurojit.reservoirs.panels import best_slots, pack_panels
from neurojit.reservoirs.shifts import ShiftMatrix

_LINE = 64  # bytes
_MOST_SHORT = 1 << 16  # units that two bytes can number: indices are half of what is read


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

    def slots(self):
        """All of it that is no panel."""
        return self.weight, self.index, self.starts, self.shift

    def arrays(self):
        return self.panels, self.codes, *self.slots()


def pack(matrices, dtype, *, panels=False):
    """Pack matrices, all of one size and either all `ShiftMatrix` with as many shifts or all sparse arrays.

    Parameters
    ----------
    matrices : list of ShiftMatrix or list of scipy.sparse.csr_array
    dtype : dtype
    panels : bool, default=False
        Whether numbers may stand in panels, where that makes a product faster.

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
        slots = best_slots(matrices[0], rows, dtype) if panels else 0
        if slots:
            parts = [pack_panels(W, rows, slots) for W in matrices]
            held, codes = (np.stack([part[i] for part in parts]) for i in (0, 1))
            matrices = [rest for _, _, rest in parts]
        packed = [_pack_rows(W, rows) for W in matrices]
    weight = np.concatenate([weight for weight, _, _ in packed])
    index = np.concatenate([index for _, index, _ in packed])
    short = np.uint16 if matrices[0].shape[0] <= _MOST_SHORT else np.int32
    starts, first = [], 0
    for _, _, slots in packed:
        starts.append(first + slots)
        first = starts[-1][-1]
    return Packed(
        _aligned(held.astype(dtype)),
        _aligned(codes),
        _aligned(weight.astype(dtype)),
        _aligned(index.astype(short)),
        np.stack(starts),
        shift,
    )


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

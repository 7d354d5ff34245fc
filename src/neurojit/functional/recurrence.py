"""What F.rnn, F.lstm and F.gru share: checks, how a batch is shared out, weights as kernels read them, gradients."""

import dataclasses
import functools

import numpy as np

from neurojit.core import device, simd
from neurojit.core.arrays import canonical, canonical_integers
from neurojit.core.memory import empty
from neurojit.functional.columns import sum_over_rows
from neurojit.functional.panels import packed_panels, panel_count, start_rows
from neurojit.kernels.cpu import recurrence as kernels
from neurojit.kernels.cpu.packing import pack_transposed
from neurojit.kernels.cpu.product import FEW_ROWS

_CHUNK_BYTES = 1 << 18  # of what a task keeps of the steps whose inputs it multiplies at a time: second-level cache
_LEAST_CHUNK = 64  # rows of such a product: enough to pay for the weights' way into the cache
# Gradients that wait for the product with what came in: half of all at most, but where they are few.
_LEAST_SEGMENT_BYTES, _SEGMENT_BYTES = 1 << 20, 1 << 23


def _is_canonical(array, dtype):
    """Whether an array is what `canonical` would give, found out in a moment: a step of a stream takes microseconds."""
    return type(array) is np.ndarray and array.dtype == dtype and array.flags.carray


def check_sequence(x, weight_ih, weight_hh, gates):
    """Canonical x (n, t, f), weight_ih (f, gates h) and weight_hh (h, gates h)."""
    x = canonical(x, "x", ndim=3)
    if x.shape[1] == 0 or x.shape[2] == 0:
        raise ValueError(f"x: got shape {x.shape}, wanted (n, t, f) with at least one step and one feature")
    if not (_is_canonical(weight_hh, x.dtype) and weight_hh.ndim == 2):
        weight_hh = canonical(weight_hh, "weight_hh", dtype=x.dtype, ndim=2)
    h = len(weight_hh)
    if h == 0 or weight_hh.shape[1] != gates * h:
        wanted = "(h, h)" if gates == 1 else f"(h, {gates} h)"
        raise ValueError(f"weight_hh: got shape {weight_hh.shape}, wanted {wanted}, h at least 1")
    if not (_is_canonical(weight_ih, x.dtype) and weight_ih.ndim == 2):
        weight_ih = canonical(weight_ih, "weight_ih", dtype=x.dtype, ndim=2)
    if weight_ih.shape != (x.shape[2], gates * h):
        raise ValueError(
            f"weight_ih: got shape {weight_ih.shape}, wanted {(x.shape[2], gates * h)},"
            f" as x has {x.shape[2]} features and weight_hh {h} units"
        )
    return x, weight_ih, weight_hh


def check_given(array, name, like, shape):
    """A canonical array of a known shape, or None."""
    if array is None or (_is_canonical(array, like.dtype) and array.shape == shape):
        return array
    return canonical(array, name, dtype=like.dtype, shape=shape)


def check_lengths(lengths, x):
    """Valid steps of each sequence, (n,), None where all are."""
    if lengths is None:
        return None
    n, t, _ = x.shape
    lengths = canonical_integers(lengths, "lengths", shape=(n,))
    wrong = np.flatnonzero((lengths < 1) | (lengths > t))
    if wrong.size:
        raise ValueError(f"lengths: got {lengths[wrong[0]]} at {wrong[0]}, wanted 1 to {t}, the steps of x")
    return lengths if (lengths < t).any() else None


def check_checkpoint(every):
    """Raise unless `checkpoint_every` is None or a number of steps."""
    if every is None:
        return
    if isinstance(every, bool) or not isinstance(every, int | np.integer):
        raise TypeError(f"checkpoint_every: got {every!r}, wanted a number of steps or None")
    if every < 1:
        raise ValueError(f"checkpoint_every: got {every}, wanted at least 1")


@dataclasses.dataclass
class Sequences:
    """A checked batch and how it is walked: see kernels/cpu/recurrence.py."""

    x: np.ndarray
    h0: np.ndarray
    ends: np.ndarray | None  # lengths, where they differ from t
    reverse: bool
    columns: int  # of all gates

    def __post_init__(self):
        n, t, _ = self.x.shape
        self.steps = t
        self.lengths = _equal_lengths(n, t) if self.ends is None else self.ends
        # A row or so does not pay for waking another thread, and tiles are taken whole.
        self.tasks = max(1, min(device.thread_count(), -(-n // simd.ROWS)))
        shares = _equal_shares(n, self.tasks) if self.ends is None else _shares(self.ends, self.tasks)
        self.order, self.bounds = shares
        rows = max(1, -(-n // self.tasks))
        step_bytes = rows * self.columns * self.x.itemsize
        self.chunk = min(t, max(1, _CHUNK_BYTES // step_bytes, -(-_LEAST_CHUNK // rows)))

    def by_time(self, columns):
        """Room for something of every step, (n, t, columns), zeros past the ends."""
        return self.zeros_past_ends(empty((*self.x.shape[:2], columns), self.x.dtype))

    def zeros_past_ends(self, array):
        """The array, with zeros past the lengths of its rows."""
        if self.ends is not None:
            array[np.arange(self.steps) >= self.ends[:, None]] = 0
        return array

    def kept(self, steps, columns):
        """Room for something of so many steps, kept by step."""
        return empty((steps, len(self.x), columns), self.x.dtype)

    def last(self, y):
        """The state after each row's last step."""
        if self.reverse:
            return y[:, 0].copy()
        return y[:, -1].copy() if self.ends is None else y[np.arange(len(y)), self.ends - 1]

    def weights(self, matrix):
        """A matrix as the kernels take it."""
        if self.x.shape[0] * self.x.shape[1] <= FEW_ROWS:
            return np.ascontiguousarray(matrix)[None]
        return packed_panels(np.ascontiguousarray(matrix))[0]

    def transposed(self, matrix):
        """A transposed matrix as the kernels take it."""
        rows, columns = matrix.shape
        full, panels = panel_count(rows, matrix.dtype)
        packed = empty((1, panels, columns, full), matrix.dtype)
        pack_transposed(matrix.reshape(1, rows, 1, columns), np.zeros(1, np.int64), packed)
        return packed[0]

    def start(self, bias, columns):
        """The row that sums of so many columns start from, a bias or zeros for None."""
        return start_rows(bias, columns, 1, self.x.dtype)[0]

    def zeros(self):
        """A row of zeros as wide as anything that starts from it."""
        full, panels = panel_count(max(self.h0.shape[1], self.x.shape[2]), self.x.dtype)
        return np.zeros(panels * full, self.x.dtype)

    @property
    def sharing(self):
        """How the batch is shared out, as kernels take it."""
        return self.order, self.bounds, self.lengths, self.reverse

    def span(self, begin, end):
        """Steps to be walked, and how many at a time."""
        return begin, end, self.chunk

    def input_gradient(self, wanted):
        """Room for dx, with zeros past the ends; (0, t, f) where it is not wanted."""
        if not wanted:
            return np.empty((0, *self.x.shape[1:]), self.x.dtype)
        return self.by_time(self.x.shape[2])

    def walk(self, driver, serial, *arguments):
        """Run a parallel driver, or where there is one task the serial kernel that it calls."""
        if self.tasks == 1:
            serial(0, *arguments)
        else:
            driver(*arguments)

    def segments(self, checkpoint_every):
        """Ranges of steps that go back together."""
        step_bytes = max(1, len(self.x) * self.columns * self.x.itemsize)
        size = min(_SEGMENT_BYTES // step_bytes, -(-self.steps // 2))
        size = checkpoint_every or max(1, size, _LEAST_SEGMENT_BYTES // step_bytes)
        return [(first, min(first + size, self.steps)) for first in range(0, self.steps, size)]


def longest(segments):
    """Steps of the longest of some segments."""
    return max(end - begin for begin, end in segments)


# A step of a stream takes microseconds: what does not change from one to the next is made once.


@functools.lru_cache(maxsize=64)
def _equal_lengths(n, t):
    """Lengths where all are t."""
    return np.full(n, t)


@functools.lru_cache(maxsize=64)
def _equal_shares(n, tasks):
    """`_shares` of sequences of one length: whole tiles."""
    per_task = -(-n // (tasks * simd.ROWS)) * simd.ROWS
    return np.arange(n), np.minimum(np.arange(tasks + 1) * per_task, n)


def _shares(ends, tasks):
    """Rows in the order in which tasks take them, and where each task's begin: longer ones first, and as many steps
    for each task.
    """
    longest_first = np.argsort(-ends, kind="stable")
    parts = [longest_first[task::tasks] for task in range(tasks)]
    return np.concatenate(parts), np.cumsum([0, *map(len, parts)])


class WeightGradients:
    """Gradients to weights and biases, summed segment by segment, by name."""

    def __init__(self, sequences, y):
        self.sequences, self.y = sequences, y
        self._sums = {}

    def get(self, name):
        """The gradient, None where nothing was added."""
        return self._sums.get(name)

    def add(self, name, values):
        """Add to a gradient."""
        self._sums[name] = self._sums[name] + values if name in self._sums else values

    def add_sum(self, name, dkept):
        """Add the sum of dkept over all steps and rows."""
        self.add(name, sum_over_rows(dkept))

    def add_products(self, name, a, height, b, width):
        """Add the products of rows a, of `height` values, with rows b, of `width`; both are addresses."""
        total = self._sums.setdefault(name, np.zeros((height, width), self.y.dtype))
        kernels.add_products(a, b, np.arange(height) * self.y.itemsize, total)

    def add_segment(self, dgates, begin, end, wrt):
        """Add what steps begin .. end give to weight_ih, weight_hh and bias, as far as they are wanted."""
        f, h, columns = self.sequences.x.shape[2], self.y.shape[2], dgates.shape[2]
        if wrt[0] or wrt[1]:
            inputs, states, rows = self.addresses(dgates, begin, end)
        if wrt[0]:
            self.add_products("weight_ih", inputs, f, rows, columns)
        if wrt[1]:
            self.add_products("weight_hh", states, h, rows, columns)
        if wrt[2]:
            self.add_sum("bias", dgates)

    def addresses(self, kept, begin, end):
        """Addresses of inputs, of states before, and of kept, for all steps of a segment that there are."""
        s = self.sequences
        tables = [np.empty(len(s.x) * (end - begin), np.int64) for _ in range(3)]
        count = kernels.tabulate_pairs(s.x, s.h0, self.y, s.lengths, s.reverse, begin, end, kept, *tables)
        return [table[:count] for table in tables]

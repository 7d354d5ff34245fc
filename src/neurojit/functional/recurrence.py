"""What F.rnn, F.lstm and F.gru share: checks, how a batch is shared out, weights as kernels read them, gradients."""

import dataclasses
import functools

import numpy as np

from neurojit.core import device, simd
from neurojit.core.arrays import FLOATS, canonical, canonical_integers
from neurojit.core.cuda import on_device, to_device, to_host
from neurojit.core.memory import empty
from neurojit.functional.devices import empty_for
from neurojit.functional.panels import packed_panels, panel_count, start_rows
from neurojit.kernels.cpu import recurrence as kernels
from neurojit.kernels.cpu.embedding import scatter_rows
from neurojit.kernels.cpu.outer_products import add_products
from neurojit.kernels.cpu.packing import pack_transposed
from neurojit.kernels.cpu.product import FEW_ROWS

_NO_TOKENS = np.empty((0, 0), np.int64)
_CHUNK_BYTES = 1 << 18  # of what a task keeps of the steps whose inputs it multiplies at a time: second-level cache
_SMALL_WEIGHTS = 1 << 20  # bytes of recurrent weights that stay in that cache, too
_LEAST_CHUNK = 64  # rows of such a product: enough to pay for the weights' way into the cache
# Gradients that wait for the product with what came in: half of all at most, but where they are few.
_LEAST_SEGMENT_BYTES, _SEGMENT_BYTES = 1 << 20, 1 << 23


def _is_canonical(array, dtype):
    """Whether an array is what `canonical` would give, found out in a moment: a step of a stream takes microseconds."""
    return type(array) is np.ndarray and array.dtype == dtype and array.flags.carray


def _check_inputs(x, weight_hh):
    """Canonical x (n, t, f) and no tokens, or tokens (n, t) for an x of integers, and x (n, t, 0)."""
    if type(x) is not np.ndarray and not on_device(x):
        x = np.asarray(x)
    if x.ndim == 2 and x.dtype.kind in "iu":
        tokens = canonical_integers(to_host(x), "x")
        if tokens.shape[1] == 0:
            raise ValueError(f"x: got shape {tokens.shape}, wanted tokens (n, t) with at least one step")
        dtype = weight_hh.dtype if on_device(weight_hh) else np.asarray(weight_hh).dtype
        return empty_for(weight_hh, (*tokens.shape, 0), dtype if dtype in FLOATS else np.float32), tokens
    x = canonical(x, "x", ndim=3)
    if x.shape[1] == 0 or x.shape[2] == 0:
        raise ValueError(f"x: got shape {x.shape}, wanted (n, t, f) with at least one step and one feature")
    return x, _NO_TOKENS


def check_sequence(x, weight_ih, weight_hh, gates):
    """Canonical x (n, t, f), tokens (n, t) or (0, 0), weight_ih (f, gates h) and weight_hh (h, gates h)."""
    x, tokens = _check_inputs(x, weight_hh)
    if not (_is_canonical(weight_hh, x.dtype) and weight_hh.ndim == 2):
        weight_hh = canonical(weight_hh, "weight_hh", dtype=x.dtype, ndim=2)
    h = len(weight_hh)
    if h == 0 or weight_hh.shape[1] != gates * h:
        wanted = "(h, h)" if gates == 1 else f"(h, {gates} h)"
        raise ValueError(f"weight_hh: got shape {weight_hh.shape}, wanted {wanted}, h at least 1")
    if not (_is_canonical(weight_ih, x.dtype) and weight_ih.ndim == 2):
        weight_ih = canonical(weight_ih, "weight_ih", dtype=x.dtype, ndim=2)
    if x.shape[2] == 0:
        _check_tokens(tokens, weight_ih, gates * h)
    elif weight_ih.shape != (x.shape[2], gates * h):
        raise ValueError(
            f"weight_ih: got shape {weight_ih.shape}, wanted {(x.shape[2], gates * h)},"
            f" as x has {x.shape[2]} features and weight_hh {h} units"
        )
    return x, tokens, weight_ih, weight_hh


def _check_tokens(tokens, weight_ih, columns):
    if weight_ih.shape[1] != columns:
        raise ValueError(f"weight_ih: got shape {weight_ih.shape}, wanted (symbols, {columns})")
    if tokens.size and not 0 <= tokens.min() <= tokens.max() < len(weight_ih):
        wrong = tokens.min() if tokens.min() < 0 else tokens.max()
        raise ValueError(f"x: got token {wrong}, wanted 0 to {len(weight_ih) - 1}, a row of weight_ih each")


def check_given(array, name, like, shape):
    """A canonical array of a known shape, or None."""
    if array is None or (_is_canonical(array, like.dtype) and array.shape == shape):
        return array
    return canonical(array, name, dtype=like.dtype, shape=shape)


def check_mask(mask, like, h):
    """A canonical mask of the states, (n, h), where these are, or None."""
    mask = check_given(mask, "recurrent_mask", like, (len(like), h))
    return to_device(mask) if on_device(like) and mask is not None else mask


def check_lengths(lengths, x):
    """Valid steps of each sequence, (n,), None where all are."""
    if lengths is None:
        return None
    n, t, _ = x.shape
    lengths = canonical_integers(to_host(lengths), "lengths", shape=(n,))
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

    x: np.ndarray  # (n, t, f), or (n, t, 0) where inputs are tokens
    tokens: np.ndarray  # (n, t), or (0, 0)
    h0: np.ndarray
    ends: np.ndarray | None  # lengths, where they differ from t
    reverse: bool
    columns: int  # of all gates
    mask: np.ndarray | None = None  # of the states, (n, h)

    def __post_init__(self):
        n, t, _ = self.x.shape
        self.steps, self.reads_tokens = t, self.x.shape[2] == 0
        if self.mask is None:
            self.mask = np.empty((0, self.h0.shape[1]), self.x.dtype)
        self.lengths = _equal_lengths(n, t) if self.ends is None else self.ends
        # A row or so does not pay for waking another thread, and tiles are taken whole.
        self.tasks = max(1, min(device.thread_count(), -(-n // simd.ROWS)))
        is_small = self.h0.shape[1] * self.columns * self.x.itemsize <= _SMALL_WEIGHTS
        shares = _equal_shares(n, self.tasks, is_small) if self.ends is None else _shares(self.ends, self.tasks)
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

    def input_weights(self, matrix, bias):
        """Weights of the inputs as the kernels take them; those of tokens hold the bias."""
        if self.reads_tokens:
            return (matrix if bias is None else matrix + bias)[None]
        return self.weights(matrix)

    def transposed(self, matrix):
        """A transposed matrix as the kernels take it."""
        rows, columns = matrix.shape
        full, panels = panel_count(rows, matrix.dtype)
        packed = empty((1, panels, columns, full), matrix.dtype)
        pack_transposed(matrix.reshape(1, rows, 1, columns), np.zeros(1, np.int64), packed)
        return packed[0]

    def input_transposed(self, matrix, wanted):
        """Transposed weights of the inputs as the kernels take them, or nothing where there is no dx to make."""
        if not wanted or self.reads_tokens:
            return np.empty((0, 0, 0), self.x.dtype)
        return self.transposed(matrix)

    def start(self, bias, columns):
        """The row that sums of so many columns start from, a bias or zeros for None."""
        return start_rows(bias, columns, 1, self.x.dtype)[0]

    def zeros(self):
        """A row of zeros as wide as anything that starts from it."""
        full, panels = panel_count(max(self.h0.shape[1], self.x.shape[2]), self.x.dtype)
        return np.zeros(panels * full, self.x.dtype)

    @property
    def masking(self):
        """What products see of the states, as kernels take it, and room for that."""
        return self.mask, np.empty_like(self.mask)

    def masked(self, states):
        """States (..., n, h) as products see them."""
        return states * self.mask if len(self.mask) else states

    @property
    def sharing(self):
        """How the batch is shared out, as kernels take it."""
        return self.order, self.bounds, self.lengths, self.reverse

    def span(self, begin, end):
        """Steps to be walked, and how many at a time."""
        return begin, end, self.chunk

    def input_gradient(self, wanted):
        """Room for dx, with zeros past the ends; (0, t, f) where it is not wanted, or inputs are tokens."""
        if not wanted or self.reads_tokens:
            return np.empty((0, *self.x.shape[1:]), self.x.dtype)
        return self.by_time(self.x.shape[2])

    def launch(self, driver, serial, *arguments):
        """A parallel driver, or where there is one task the serial kernel that it calls, and its arguments."""
        return (serial, (0, *arguments)) if self.tasks == 1 else (driver, arguments)

    def walk(self, driver, serial, *arguments):
        """Run what `launch` gives."""
        kernel, arguments = self.launch(driver, serial, *arguments)
        kernel(*arguments)

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
def _equal_shares(n, tasks, is_small):
    """`_shares` of sequences of one length: whole tiles, or equal parts where a few rows more than tiles cost less.

    They do so one by one where the weights are small enough to be fetched for each of them.
    """
    even = -(-n // tasks)
    per_task = even if is_small and even % simd.ROWS < FEW_ROWS else -(-even // simd.ROWS) * simd.ROWS
    return np.arange(n), np.minimum(np.arange(tasks + 1) * per_task, n)


def _shares(ends, tasks):
    """Rows in the order in which tasks take them, and where each task's begin: longer ones first, and as many steps
    for each task.
    """
    longest_first = np.argsort(-ends, kind="stable")
    parts = [longest_first[task::tasks] for task in range(tasks)]
    return np.concatenate(parts), np.cumsum([0, *map(len, parts)])


class WeightGradients:
    """Gradients to weights and biases, summed segment by segment, by name; weight_ih has so many rows of inputs."""

    def __init__(self, sequences, y, inputs):
        self.sequences, self.inputs = sequences, inputs
        self.h0 = sequences.masked(sequences.h0)  # as products saw them
        self.y = y * sequences.mask[:, np.newaxis] if len(sequences.mask) else y
        self._one = np.ones(1, y.dtype)
        self._totals, self._found = {}, {}

    def get(self, name):
        """The gradient, None where nothing was added."""
        return self._found.get(name)

    def add(self, name, values):
        """Add to a gradient."""
        self._found[name] = self._found[name] + values if name in self._found else values

    def add_products(self, parts, b, width):
        """Add the products of rows with rows b, of `width` values, at these addresses, for all `parts`.

        parts : dict from name to the addresses of its rows and how many values they have; None is a single one, 1,
            whose gradient is that of a bias.
        """
        heights = np.array([1 if part is None else part[1] for part in parts.values()])
        ends = np.cumsum(-(-heights // simd.ROWS) * simd.ROWS)
        key = tuple(parts)
        if key not in self._totals:
            total = self._totals[key] = np.zeros((ends[-1], width), self.y.dtype)
            for (name, part), end, height in zip(parts.items(), ends, heights, strict=True):
                begin = end - -(-height // simd.ROWS) * simd.ROWS
                self._found[name] = total[begin] if part is None else total[begin : begin + height]
        tables = np.empty((len(parts), len(b)), np.int64)
        for table, part in zip(tables, parts.values(), strict=True):
            table[:] = self._one.ctypes.data if part is None else part[0]
        add_products(tables, heights, b, device.thread_count(), self._totals[key])

    def add_segment(self, dgates, begin, end, wrt):
        """Add what steps begin .. end give to weight_ih, weight_hh and bias, as far as they are wanted."""
        if not any(wrt):
            return
        h, columns = self.y.shape[2], dgates.shape[2]
        inputs, states, rows = self.addresses(dgates, begin, end)
        of_tokens = self.sequences.reads_tokens
        if wrt[0] and of_tokens:
            self._add_rows(dgates, begin, end)
        parts = {"weight_ih": (inputs, self.inputs), "weight_hh": (states, h), "bias": None}
        wanted = wrt[0] and not of_tokens, wrt[1], wrt[2]
        if any(wanted):
            self.add_products({n: part for (n, part), w in zip(parts.items(), wanted, strict=True) if w}, rows, columns)

    def _add_rows(self, dgates, begin, end):
        """Add to the rows of weight_ih that tokens of steps begin .. end took."""
        s = self.sequences
        if "weight_ih" not in self._found:
            self._found["weight_ih"] = np.zeros((self.inputs, dgates.shape[2]), dgates.dtype)
        steps = np.arange(begin, end)
        times = np.maximum(s.lengths[:, None] - 1 - steps, 0) if s.reverse else np.tile(steps, (len(s.x), 1))
        tokens = np.take_along_axis(s.tokens, times, axis=1)
        scatter_rows(tokens.T.ravel(), dgates.reshape(-1, dgates.shape[2]), self._found["weight_ih"])

    def addresses(self, kept, begin, end):
        """Addresses of inputs, of states before, and of kept, for all steps of a segment that there are."""
        s = self.sequences
        tables = [np.empty(len(s.x) * (end - begin), np.int64) for _ in range(3)]
        count = kernels.tabulate_pairs(s.x, self.h0, self.y, s.lengths, s.reverse, begin, end, kept, *tables)
        return [table[:count] for table in tables]

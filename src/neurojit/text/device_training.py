"""Training word vectors on a GPU, by negative sampling."""

import numpy as np

from neurojit.core.cuda import device_empty, device_zeros, to_device
from neurojit.kernels.cpu import word2vec_draws
from neurojit.kernels.cuda import word2vec as kernels
from neurojit.text.sentences import buffers
from neurojit.text.training import BUFFER, EPOCHS, NOISE, RADII, SUBSAMPLE, WordVectorTraining

# Windows trained at the same time do not see one another's steps: so many at most, and fewer of a small vocabulary,
# where they have more words in common.
_MOST_WALKERS = 4096
_LEAST_WALKERS = 32
_WORDS_PER_WALKER = 8
_STRIDE = 16  # tokens of a walker between two learning rates, where steps are added as they come


class DeviceWordVectorTraining(WordVectorTraining):
    """As `WordVectorTraining`, with the matrices on the device during an epoch; for negative sampling.

    Windows draw their negative samples themselves, without the CPU's pools. Deterministic updates sum up the steps of
    as many windows as there are `walkers`, all taken at the same vectors.

    Attributes
    ----------
    walkers : int
        Windows that are trained at the same time.
    """

    def __init__(self, counts, vector_size, objective, key, dtype=np.float32):
        if objective.objective != "negative-sampling":
            raise ValueError(f"objective: got {objective.objective!r}, wanted 'negative-sampling' for device='cuda'")
        if vector_size > 4 * kernels.MOST_THREADS:
            raise ValueError(f"vector_size: got {vector_size}, wanted at most {4 * kernels.MOST_THREADS} on a GPU")
        super().__init__(counts, vector_size, objective, key, dtype)

    def grow(self, counts):
        super().grow(counts)
        self.walkers = min(_MOST_WALKERS, max(_LEAST_WALKERS, len(counts) // _WORDS_PER_WALKER))

    @property
    def _is_sharded(self):
        return False

    def run_epoch(self, token_arrays, learning_rate):
        key = self.key.child(EPOCHS).child(self.epoch)
        self.epoch += 1
        subsample_key = np.uint64(key.child(SUBSAMPLE).value)
        kept, done, start = np.empty(BUFFER, np.int32), 0, 0
        epoch = _Epoch(self, key)
        try:
            for i, tokens in enumerate(buffers(token_arrays, BUFFER)):
                n_words = int(np.count_nonzero(tokens >= 0))
                n = word2vec_draws.subsample(tokens, self._keep, i * BUFFER, subsample_key, kept)
                first, of_all = done, n_words / max(n, 1)
                loss, pairs = epoch.train(kept[:n], start, lambda k: learning_rate(first + k * of_all))  # noqa: B023
                done, start = done + n_words, start + n
                yield n_words, loss, pairs
        finally:
            self.contexts[...], self.targets[...] = epoch.matrices()


class _Epoch:
    """The arrays of one pass over the text on the device."""

    def __init__(self, training, key):
        self.objective, self.walkers = training.objective, training.walkers
        self.vectors = [to_device(matrix) for matrix in (training.contexts, training.targets)]
        threshold, alias = training._noise
        self.noise = to_device(threshold.astype(np.int64)), to_device(alias)
        self.keys = [key.child(stream).value for stream in (RADII, NOISE)]
        self.is_summed = self.objective.update == "deterministic"
        self.steps = [to_device(np.zeros(v.size, np.int64)) if self.is_summed else v.reshape(-1) for v in self.vectors]

    def matrices(self):
        """Contexts and targets on the host."""
        return [matrix.numpy() for matrix in self.vectors]

    def train(self, tokens, start, rate):
        """Train on some text, whose first token is number `start`; the sum of the objective, and of how many pairs.

        rate : callable
            From how many tokens went before to the learning rate.
        """
        flat = [matrix.reshape(-1) for matrix in self.vectors]
        losses, pairs = device_zeros(self.walkers, flat[0].dtype), to_device(np.zeros(self.walkers, np.int32))
        piece = self.walkers * (1 if self.is_summed else _STRIDE)
        on_device = to_device(tokens) if tokens.size else device_empty(0, np.int32)
        o, run = self.objective, self._kernel()
        apart = o.architecture == "skip-gram" and not o.shared_negatives
        drawn = o.window, o.shrink_windows, apart, o.negative, *self.noise, *self.keys
        for first in range(0, tokens.size, piece):
            count = min(piece, tokens.size - first)
            width = self.vectors[0].shape[1]
            text = on_device, first, count, self.walkers, start
            run(*text, *drawn, *flat, *self.steps, width, rate(first), losses, pairs)
            if self.is_summed:
                for steps, vectors in zip(self.steps, flat, strict=True):
                    kernels.take_sums(steps, vectors)
        return float(losses.numpy().sum(dtype=np.float64)), int(pairs.numpy().sum())

    def _kernel(self):
        name = "cbow" if self.objective.architecture == "cbow" else "skip_gram"
        return getattr(kernels, f"{name}_sums" if self.is_summed else name)

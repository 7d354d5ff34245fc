"""Training word vectors: the two matrices, and passes over text that improve them."""

import dataclasses

import numpy as np

from neurojit.core import device, memory
from neurojit.core.simd import lanes
from neurojit.kernels.cpu import word2vec, word2vec_blocks, word2vec_draws, word2vec_shards
from neurojit.text.huffman import huffman_paths
from neurojit.text.sentences import buffers

BUFFER = 1 << 18  # tokens in memory at a time
_BLOCK = 1000  # kept tokens that a task trains on; a multiple of 4
_CBOW_BLOCK = 2000  # a token has one pair
_TREE_BLOCK = 256  # with a tree a token has more target rows
_REUSE = 10  # negative samples for each draw from the noise
_STIFFNESS = 0.1
_ROWS = 1 << 12  # vectors that are drawn at a time

# Sub-streams of the random key.
START, EPOCHS = range(2)
SUBSAMPLE, RADII, NOISE, CHOICE = range(4)


@dataclasses.dataclass(frozen=True)
class Objective:
    """What word vectors are trained for; the names are those of `neurojit.Word2Vec`."""

    window: int = 5
    architecture: str = "skip-gram"
    objective: str = "negative-sampling"
    negative: int = 5
    ns_exponent: float = 0.75
    sample: float = 1e-3
    shrink_windows: bool = True
    shared_negatives: bool = True
    update: str = "deterministic"


class WordVectorTraining:
    """The context and target vectors of a vocabulary, and their training.

    Parameters
    ----------
    counts : numpy.ndarray, shape (n_words,)
        How often each word was seen, int64.
    vector_size : int
    objective : Objective
    key : Key
        Names all random numbers.
    dtype : dtype, default=numpy.float32

    Attributes
    ----------
    contexts, targets : numpy.ndarray, shape (n_words, width)
    epoch : int
        Passes so far.
    """

    def __init__(self, counts, vector_size, objective, key, dtype=np.float32):
        self.vector_size = vector_size
        self.objective = objective
        self.key = key
        self.epoch = 0
        self._width = -(-vector_size // lanes(dtype)) * lanes(dtype)
        self._n_words = 0
        self._matrices = [np.zeros((0, self._width), dtype)] * 2
        self.grow(counts)

    @property
    def contexts(self):
        """The word vectors; zero in the columns from `vector_size` on: shape (n_words, width)."""
        return self._matrices[0][: self._n_words]

    @property
    def targets(self):
        """The vectors that predict a word, or under hierarchical softmax an inner node of the tree; of that shape."""
        return self._matrices[1][: self._n_words]

    def grow(self, counts):
        """Take new counts; words beyond those there were so far get new vectors."""
        before, self._n_words = self._n_words, len(counts)
        self._count(np.asarray(counts, np.int64))
        self._matrices = [self._matrix(matrix[:before]) for matrix in self._matrices]
        bound = 1 / self.vector_size  # gensim's; the original word2vec has half of it, from which CBOW learns less
        for row in range(before, self._n_words, _ROWS):
            fresh = self.contexts[row : row + _ROWS, : self.vector_size]
            fresh[...] = self.key.child(START).child(row).uniform(fresh.shape, -bound, bound, fresh.dtype)

    def _matrix(self, old):
        """Old rows and new ones of zeros, which begin at cache lines if they are many, and room for copies."""
        room = word2vec_shards.SHARDS * self._most if self._is_sharded else 0
        matrix = memory.empty((self._n_words + room, self._width), old.dtype)
        matrix[: len(old)], matrix[len(old) : self._n_words] = old, 0
        return matrix

    @property
    def _is_sharded(self):
        return self.objective.update == "deterministic" and self.objective.objective != "softmax"

    def _count(self, counts):
        """The tables that follow from how often each word was seen."""
        objective, n_words = self.objective, len(counts)
        self._keep = keep_thresholds(counts, objective.sample)
        tree, negative = objective.objective == "hierarchical-softmax", objective.objective == "negative-sampling"
        self._noise = noise_table(counts, objective.ns_exponent) if negative else noise_table(counts[:0], 1.0)
        self._paths = huffman_paths(counts) if tree else (np.zeros(0, np.int32), np.zeros(0, np.int32))
        apart = negative and not objective.shared_negatives and objective.architecture == "skip-gram"
        groups = 2 * objective.window if apart else 1
        is_cbow = objective.architecture == "cbow"
        block = _TREE_BLOCK if tree else _CBOW_BLOCK if is_cbow else _BLOCK
        n_negative = objective.negative if negative else 0
        # A block draws its negative samples from few words that were drawn before: their vectors are then in the cache.
        pool = block * n_negative if apart else block * n_negative // _REUSE
        # A token's vector takes part in about `window` + 1 pairs, each with so many target rows. In CBOW it is one of
        # as many in a mean, and the curvature along it is as much less. A chosen row takes part in all pairs of a
        # window at once, of which CBOW has one.
        pairs = 1 if is_cbow else objective.window + 1
        rows = round(len(self._paths[1]) / n_words) if tree else 1 + n_negative
        self._settings = np.zeros(word2vec_blocks.SETTINGS, np.int64)
        for name, value in (
            ("REACH", objective.window),
            ("SHRINK", objective.shrink_windows),
            ("ARCHITECTURE", word2vec.CBOW if is_cbow else word2vec.SKIP_GRAM),
            ("SOFTMAX", objective.objective == "softmax"),
            ("GROUPS", groups),
            ("NEGATIVE", n_negative),
            ("POOL", pool),
            ("BLOCK", block),
            ("CONTEXT_STEPS", pairs * rows),
            ("TARGET_STEPS", pairs),
        ):
            self._settings[getattr(word2vec_blocks, name)] = value
        longest = int(np.diff(self._paths[0]).max(initial=1))
        most_rows = block * longest if tree else block + pool
        self._most = min(max(block + 2 * objective.window, most_rows), n_words)  # rows that a block uses of a matrix
        self._most_chosen = block * (longest if tree else groups * (1 + n_negative))
        self._scratch = None

    def run_epoch(self, token_arrays, learning_rate):
        """Train on a pass over the text.

        Parameters
        ----------
        token_arrays : iterable of numpy.ndarray
            int32 word numbers with -1 after each sentence.
        learning_rate : callable
            From words of this epoch trained on so far to the learning rate.

        Yields
        ------
        words, loss, pairs : int, float, int
            After each buffer: words it had, sum of the objective over its pairs, and how many these were.
        """
        key = self.key.child(EPOCHS).child(self.epoch)
        self.epoch += 1
        keys = np.array([key.child(stream).value for stream in (RADII, NOISE, CHOICE)], np.uint64)
        subsample_key = np.uint64(key.child(SUBSAMPLE).value)
        kept = np.empty(BUFFER, np.int32)
        block = int(self._settings[word2vec_blocks.BLOCK])
        done = 0
        for i, tokens in enumerate(buffers(token_arrays, BUFFER)):
            n_words = int(np.count_nonzero(tokens >= 0))
            n = word2vec_draws.subsample(tokens, self._keep, i * BUFFER, subsample_key, kept)
            n_blocks = -(-n // block)
            progress = done + n_words * np.arange(n_blocks) / max(n_blocks, 1)
            rates = np.array([learning_rate(words) for words in progress], np.float64)
            loss, pairs = self._train(kept[:n], i * -(-BUFFER // block), keys, rates)
            done += n_words
            yield n_words, loss, pairs

    def _train(self, tokens, first_block, keys, learning_rates):
        loss, pairs = np.zeros(learning_rates.size), np.zeros(learning_rates.size, np.int64)
        tables = (self._settings, keys, *self._noise, *self._paths)
        call = (tokens, first_block, *tables, *self._matrices, learning_rates)
        if self._is_sharded:
            word2vec_shards.sharded(*call, _STIFFNESS, loss, pairs, *self._shards())
        else:
            # Under the softmax every step changes all target rows.
            with device.threads(1 if self.objective.objective == "softmax" else None):
                word2vec_blocks.hogwild(*call, loss, pairs)
        return float(loss.sum()), int(pairs.sum())

    def _shards(self):
        """The memory of `sharded`, from its slots on."""
        if self._scratch is None:
            n, most, settings = word2vec_shards.SHARDS, self._most, self._settings.tolist()
            block, groups = settings[word2vec_blocks.BLOCK], settings[word2vec_blocks.GROUPS]
            self._scratch = (
                np.full((2, 2, len(self.contexts), n), -1, np.int32),
                np.zeros((2, 2, n, most), np.int32),
                np.zeros((2, 2, n), np.int64),
                np.zeros((2, 2, n, most), np.int32),
                np.zeros((2, n, most), np.int32),
                np.zeros((n, block), np.int32),
                np.zeros((n, block * groups + 1), np.int32),
                np.zeros((n, self._most_chosen), np.int32),
                np.zeros((n, block + 2 * self.objective.window), np.int32),
            )
        return self._scratch


def keep_thresholds(counts, sample):
    """The share of each word's tokens that are kept, as thresholds for a random uint32 word.

    A word of relative frequency f is kept with probability min(1, sqrt(sample / f) + sample / f), as the original
    word2vec does it; Mikolov, Sutskever, Chen, Corrado and Dean (2013), section 2.3, print a simpler form. 0 keeps
    all.
    """
    share = np.ones(len(counts))
    if sample > 0 and len(counts):
        ratio = sample * counts.sum() / np.maximum(counts, 1)
        share = np.minimum(np.sqrt(ratio) + ratio, 1.0)
    return np.round(share * 2.0**32).astype(np.uint64)


def noise_table(counts, exponent):
    """The noise distribution, proportional to counts to the power `exponent`, as thresholds and aliases."""
    weights = np.maximum(np.asarray(counts, np.float64), 1.0) ** exponent
    threshold, alias = np.empty(len(counts), np.uint64), np.empty(len(counts), np.int32)
    if len(counts):
        word2vec_draws.alias_table(weights * (len(counts) / weights.sum()), threshold, alias)
    return threshold, alias

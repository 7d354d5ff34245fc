"""Word vectors by skip-gram and CBOW."""

import numpy as np
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from neurojit import __version__
from neurojit.core.device import threads
from neurojit.core.progress import progress_bar
from neurojit.core.random import Key
from neurojit.core.statefile import write_state
from neurojit.estimators.options import Flag, device_of
from neurojit.estimators.word2vec_options import check_options
from neurojit.estimators.word2vec_run import Run
from neurojit.io.estimator_file import ESTIMATOR
from neurojit.text import KeyedVectors, Vocabulary
from neurojit.text.device_training import DeviceWordVectorTraining
from neurojit.text.sentences import check_sentences, word_counts
from neurojit.text.training import Objective, WordVectorTraining
from neurojit.text.vector_files import vocabulary as vocabulary_from_state
from neurojit.text.vector_files import words_state
from neurojit.training import History, ProgressBar


class Word2Vec(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    r"""Vectors of words, learnt from the words round each in a text.

    Skip-gram with negative sampling minimises, for each word w and each word c near it,

    .. math:: -\log \sigma(u_w \cdot v_c) - \sum_{k=1}^{K} \log \sigma(-u_{n_k} \cdot v_c)

    with n_k drawn from the noise distribution, in which a word has its frequency to the power `ns_exponent` (Mikolov,
    Sutskever, Chen, Corrado and Dean, "Distributed representations of words and phrases and their compositionality",
    NIPS 2013, equation 4). CBOW has the mean of all v_c of the window in place of v_c (Mikolov, Chen, Corrado and
    Dean, "Efficient estimation of word representations in vector space", 2013). The v are the word vectors.
    Stochastic gradient descent takes a step for each window, all its pairs together; the learning rate falls linearly
    over all words.

    Parameters
    ----------
    vector_size : int, default=100
        Numbers in a vector.
    window : int, default=5
        How many words on either side are near.
    min_count : int, default=5
        Words seen less often are left out of the text.
    architecture : {"skip-gram", "cbow"}, default="skip-gram"
    objective : {"negative-sampling", "softmax", "hierarchical-softmax"}, default="negative-sampling"
        The full softmax looks at every word of the vocabulary for each pair, on one thread: for small vocabularies.
        Hierarchical softmax walks down a Huffman tree of the words.
    negative : int, default=5
        Negative samples K.
    ns_exponent : float, default=0.75
    sample : float, default=1e-3
        A word of relative frequency f stays in the text with probability sqrt(sample / f) + sample / f; 0 keeps all.
    learning_rate : float, default=0.025
        At the beginning.
    min_learning_rate : float, default=1e-4
        At the end.
    epochs : int, default=5
        Passes over the text.
    shrink_windows : bool, default=True
        Whether the width of each window is drawn from 1 to `window`, so that nearer words count more.
    shared_negatives : bool, default=True
        Whether all pairs of a window have the same negative samples: several times as fast. Skip-gram only.
    max_vocab : int or None, default=None
        Keep so many most frequent words at most.
    update : {"deterministic", "hogwild"}, default="deterministic"
        "deterministic" trains on a fixed number of pieces of text at a time, with copies of the vectors that several of
        them use, and merges these: the same bits for any number of threads. "hogwild" lets all threads write to the
        same vectors without locks: half as fast again on one thread, little faster on more, where no two runs are the
        same. On a GPU "deterministic" adds up the steps of as many windows as are trained at a time, as integers, whose
        sum does not depend on their order.
    device : {"cpu", "cuda", "auto"}, default="cpu"
        Where to train: "cuda" is an NVIDIA GPU, which knows negative sampling alone, and "auto" is that where there is
        one for what is asked. Draws differ from the CPU's, and so do the vectors.
    n_threads : int or None, default=None
        Threads to compute on; None leaves it to numba.
    random_state : int, numpy generator or None, default=None
    callbacks : list of neurojit.training.Callback or None, default=None
    verbose : int, default=0
        Whether to show progress: words a second, loss, time left.

    Attributes
    ----------
    vectors_ : numpy.ndarray, shape (n_words, vector_size)
        float32.
    vocabulary_ : neurojit.text.Vocabulary
    keyed_vectors_ : neurojit.text.KeyedVectors
        Both together, to be asked what is similar to what.
    loss_curve_ : list of float
        Mean of the objective over all pairs of each epoch, as they were trained on.
    history_ : neurojit.training.History
        The same with learning rate, words a second and seconds.

    Notes
    -----
    As in the original word2vec, CBOW moves each vector of the window by the whole step of their mean, not by its share.

    Examples
    --------
    >>> import neurojit as nj
    >>> sentences = ["the wide road shimmered in the hot sun", "the long road lay in the hot dust"] * 20
    >>> model = nj.Word2Vec(vector_size=16, min_count=20, epochs=2, random_state=0).fit(sentences)
    >>> model.vectors_.shape, model.vocabulary_.words[:3]
    ((10, 16), ['the', 'road', 'in'])
    >>> model.transform(["road", "the hot sun"]).shape
    (2, 16)
    >>> [word for word, cosine in model.keyed_vectors_.most_similar("road", topn=2)] != []
    True
    """

    def __init__(
        self,
        vector_size=100,
        window=5,
        min_count=5,
        architecture="skip-gram",
        objective="negative-sampling",
        negative=5,
        ns_exponent=0.75,
        sample=1e-3,
        learning_rate=0.025,
        min_learning_rate=1e-4,
        epochs=5,
        shrink_windows=True,
        shared_negatives=True,
        max_vocab=None,
        update="deterministic",
        device="cpu",
        n_threads=None,
        random_state=None,
        callbacks=None,
        verbose=0,
    ):
        self.vector_size = vector_size
        self.window = window
        self.min_count = min_count
        self.architecture = architecture
        self.objective = objective
        self.negative = negative
        self.ns_exponent = ns_exponent
        self.sample = sample
        self.learning_rate = learning_rate
        self.min_learning_rate = min_learning_rate
        self.epochs = epochs
        self.shrink_windows = shrink_windows
        self.shared_negatives = shared_negatives
        self.max_vocab = max_vocab
        self.update = update
        self.device = device
        self.n_threads = n_threads
        self.random_state = random_state
        self.callbacks = callbacks
        self.verbose = verbose

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.string = True
        tags.no_validation = True
        return tags

    @property
    def _computes_on_cuda(self):
        return self.objective == "negative-sampling"

    # -- fitting --------------------------------------------------------------------------------------------------

    def fit(self, sentences, y=None):
        """Count the words and train their vectors.

        Parameters
        ----------
        sentences : iterable of (list of str or str), or neurojit.text.LineSentences
            Read once to count the words and once in each epoch. A string is split on white space.
        y : object
            Not looked at.

        Returns
        -------
        self

        Raises
        ------
        TypeError, ValueError
            Before training, if an option or the text is wrong; the message names it, what it got and wanted.
        neurojit.training.TrainingDiverged
            If the loss becomes NaN or infinite.
        """
        check_options(self)
        check_sentences(sentences, passes=1 + self.epochs)
        self._start(sentences)
        self._train(sentences, self.epochs, self.min_learning_rate)
        return self

    def partial_fit(self, sentences, y=None, update_vocabulary=False):
        """Train one epoch more, at the full learning rate.

        Parameters
        ----------
        sentences : iterable of (list of str or str), or neurojit.text.LineSentences
            Read once; twice where the words are counted.
        y : object
            Not looked at.
        update_vocabulary : bool, default=False
            Whether to add the text's words to the vocabulary: counts of known words grow, and words that are new and
            seen `min_count` times in it come after them. Otherwise unknown words are left out.

        Returns
        -------
        self

        Raises
        ------
        TypeError, ValueError
            As in `fit`; also if the vocabulary cannot grow, since hierarchical softmax has a tree for it.
        """
        check_options(self)
        Flag().check("update_vocabulary", update_vocabulary)
        is_first = not hasattr(self, "vectors_")
        check_sentences(sentences, passes=2 if is_first or update_vocabulary else 1)
        if is_first:
            self._start(sentences)
        elif update_vocabulary:
            self._grow(sentences)
        self._train(sentences, 1, self.learning_rate)
        return self

    def _start(self, sentences):
        counts = self._word_counts(sentences, self.min_count)
        vocabulary = Vocabulary.from_counts(counts, min_count=self.min_count, max_size=self.max_vocab)
        if not len(vocabulary):
            counts = self._word_counts(sentences)
            if not counts:
                raise ValueError("sentences: got no words, wanted at least one")
            word, most = max(counts.items(), key=lambda item: item[1])
            raise ValueError(
                f"min_count: got {self.min_count}, wanted at most {most}, which is how often {word!r} is seen"
            )
        self._set_training(vocabulary, Key.from_random_state(self.random_state))
        self.loss_curve_ = []

    def _word_counts(self, sentences, min_count=1):
        with progress_bar("vocabulary", "words", shown=self.verbose) as counted:
            return word_counts(sentences, min_count, counted)

    def _set_training(self, vocabulary, key):
        names = Objective.__dataclass_fields__
        objective = Objective(**{name: getattr(self, name) for name in names})
        kind = DeviceWordVectorTraining if device_of(self) == "cuda" else WordVectorTraining
        self._training = kind(vocabulary.counts, int(self.vector_size), objective, key)
        self._take(vocabulary)

    def _take(self, vocabulary):
        """Know these words, and the vectors that training changes in place."""
        self.vocabulary_ = vocabulary
        self.vectors_ = self._training.contexts[:, : self._training.vector_size]

    def _grow(self, sentences):
        """Add the words of some text to the vocabulary, and vectors for those that are new."""
        if self._training.objective.objective == "hierarchical-softmax":
            raise ValueError(
                "update_vocabulary: got True, wanted False with hierarchical softmax, whose tree is of its words"
            )
        known, counts = self.vocabulary_, self._word_counts(sentences)
        new = {word: n for word, n in counts.items() if word not in known}
        new = Vocabulary.from_counts(new, min_count=self.min_count)
        seen = known.counts + np.array([counts.get(word, 0) for word in known], np.int64)
        vocabulary = Vocabulary(known.words + new.words, np.concatenate([seen, new.counts]))
        self._training.grow(vocabulary.counts)
        self._take(vocabulary)

    def _train(self, sentences, epochs, last_rate):
        own = [ProgressBar("words")] if self.verbose else []
        run = Run(self, sentences, epochs, last_rate, [*own, *(self.callbacks or [])])
        try:
            with threads(self.n_threads):
                run.fit()
        finally:
            self.history_ = run.history
            self.loss_curve_ = [*self.loss_curve_, *(record["loss"] for record in run.history)]

    # -- using ----------------------------------------------------------------------------------------------------

    @property
    def keyed_vectors_(self):
        """The vectors with their words, to be asked what is similar to what."""
        check_is_fitted(self)
        return KeyedVectors(self.vocabulary_, self.vectors_)

    @property
    def _n_features_out(self):
        return self.vectors_.shape[1]

    def transform(self, X, ignore_missing=False):
        """Vectors of words, or of sentences: the mean over their known words.

        Parameters
        ----------
        X : iterable of (str or list of str)
            A string is a word, or a sentence to be split on white space.
        ignore_missing : bool, default=False
            Whether an unknown word that stands alone has a vector of zeros. Of a sentence unknown words are left out
            in any case, and one without known words has zeros.

        Returns
        -------
        numpy.ndarray, shape (n, vector_size)

        Raises
        ------
        KeyError
            If words that stand alone are not known; names them.
        """
        check_is_fitted(self)
        check_sentences(X, passes=1)
        vectors, missing, index = [], [], self.vocabulary_.index
        for item in X:
            tokens = item.split() if isinstance(item, str) else list(item)
            found = [index[token] for token in tokens if token in index]
            if isinstance(item, str) and len(tokens) == 1 and not found:
                missing.append(item)
            vectors.append(self.vectors_[found].mean(axis=0) if found else np.zeros_like(self.vectors_[0]))
        if missing and not ignore_missing:
            raise KeyError(f"X: got the unknown words {missing}, wanted known ones, or ignore_missing=True")
        return np.array(vectors, self.vectors_.dtype).reshape(len(vectors), self.vectors_.shape[1])

    def save(self, path):
        """Save all that was learnt to one safetensors file, from which `neurojit.load` gives the estimator back.

        Callbacks and a random generator are left out. The file is written whole or not at all. For the vectors alone
        see `keyed_vectors_`.

        Parameters
        ----------
        path : str or os.PathLike
            Usually ending in ``.safetensors``.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before `fit`.
        FileNotFoundError
            If the folder of `path` does not exist.
        """
        write_state(path, self.to_state(), ESTIMATOR)

    def to_state(self):
        """The fitted estimator as a nested dict of arrays and plain JSON values: what `save` writes.

        Returns
        -------
        dict
        """
        check_is_fitted(self)
        size = self._training.vector_size
        return {
            "estimator": type(self).__name__,
            "neurojit": __version__,
            "params": {name: _plain(value) for name, value in self.get_params().items()},
            "vocabulary": words_state(self.vocabulary_),
            "contexts": np.ascontiguousarray(self.vectors_),
            "targets": np.ascontiguousarray(self._training.targets[:, :size]),
            "key": str(self._training.key.value),
            "epoch": self._training.epoch,
            "loss_curve": self.loss_curve_,
            "history": {"records": self.history_.records, "stopped": self.history_.stopped},
        }

    @classmethod
    def from_state(cls, state, custom_layers=None):
        """A fitted estimator from what `to_state` gave.

        Parameters
        ----------
        state : dict
        custom_layers : object
            Not looked at: there is no network.

        Returns
        -------
        estimator
        """
        estimator = cls(**state["params"])
        estimator._set_training(vocabulary_from_state(state["vocabulary"]), Key(int(state["key"])))
        training = estimator._training
        training.contexts[:, : training.vector_size] = state["contexts"]
        training.targets[:, : training.vector_size] = state["targets"]
        training.epoch = state["epoch"]
        estimator.loss_curve_ = state["loss_curve"]
        estimator.history_ = History(**state["history"])
        return estimator


def _plain(value):
    """An option as JSON; None where it is none."""
    if isinstance(value, np.generic):
        return value.item()
    return value if value is None or isinstance(value, str | bool | int | float) else None

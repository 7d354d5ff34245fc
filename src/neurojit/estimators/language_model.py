"""Recurrent networks that predict a text, symbol by symbol."""

import numpy as np

from neurojit import training
from neurojit.core.device import threads
from neurojit.estimators.base import NetworkEstimator
from neurojit.estimators.options import check_options
from neurojit.estimators.text_model import TextModel, check_text
from neurojit.models import recurrent
from neurojit.text.symbols import TextSymbols
from neurojit.text.vector_files import vocabulary as vocabulary_from_state
from neurojit.text.vector_files import words_state

_CHARACTER_SIZE = 64  # length of a character's vector
_STREAMS = 50
_LEAST_STEPS = 32  # training steps an epoch of a short text


class LanguageModel(TextModel, NetworkEstimator):
    """Recurrent network that says what comes next in a text: its next character, or its next word.

    It is trained by truncated backpropagation through time: the text is cut into `batch_size` streams, and states are
    carried on from one batch of `sequence_length` symbols to the next.

    Parameters
    ----------
    level : {"char", "word"}, default="char"
        What the symbols of a text are: its characters, or its words and ends of lines.
    network : Layer, callable or None, default=None
        The network: a `Layer` (it is copied), a function ``(input_shape, n_symbols) -> Layer``, or None for
        `neurojit.models.recurrent` on an embedding, with the options that follow. From numbers of symbols (n, t) it
        makes the log-odds (n, t, n_symbols) of those that come next.
    cell : {"lstm", "gru", "rnn"}, default="lstm"
        What is repeated along time.
    units : int, default=128
        Units of a layer.
    n_layers : int, default=2
        Layers on top of one another.
    peephole : bool, default=False
        Whether the gates of an LSTM see its cells.
    coupled : bool, default=False
        Whether an LSTM forgets as much as it takes in.
    embedding_size : int or "auto", default="auto"
        Length of a symbol's vector; "auto" is 64 for characters, `units` for words.
    dropout : float, default=0.0
        Share of a layer's outputs that is dropped in training, before the layer above it.
    min_count : int, default=1
        Words seen less often are all taken for "<unk>".
    max_vocab : int or None, default=None
        Most words that are known, the most frequent.
    sequence_length : int, default=64
        Symbols over which gradients go back.
    optimizer : {"adam", "adamw", "rmsprop", "sgd"}, default="adam"
        How weights are updated; "sgd" has Nesterov momentum 0.9.
    learning_rate : float, default=0.003
        Step size of the optimizer at the start.
    schedule : {"cosine", "constant"}, default="cosine"
        "cosine" lowers the learning rate to zero along half a cosine over `max_epochs`.
    weight_decay : float, default=0.0
        L2 penalty of the weights (decoupled from the gradient for "adamw").
    clip_norm : float or None, default=1.0
        Largest norm of all gradients together (Pascanu, Mikolov and Bengio 2013, algorithm 1).
    batch_size : int or "auto", default="auto"
        Streams that are read side by side; "auto" is 50, or as many as leave 32 training steps an epoch. There are
        fewer where a text is too short for each to have `sequence_length` symbols.
    max_epochs : int, default=10
        Passes over the text.
    early_stopping : bool, default=False
        Hold out the end of the text, stop when the loss on it has not fallen for `n_iter_no_change` epochs, and keep
        the weights of the best epoch.
    validation_fraction : float, default=0.1
        Part of the text held out for early stopping.
    n_iter_no_change : int, default=10
        Epochs without a better validation loss after which training stops early.
    callbacks, device, n_threads, random_state, warm_start, verbose
        As for `RecurrentClassifier`.

    Attributes
    ----------
    vocabulary_ : neurojit.text.Vocabulary
        The symbols that are known, and how often each was seen.
    network_ : Layer
        The trained network.
    loss_curve_ : list of float
        Mean training loss of each epoch, in nats a symbol.
    history_ : neurojit.training.History
        All that was measured in the last fit, epoch by epoch.
    n_iter_ : int
        Epochs trained.

    Examples
    --------
    >>> import neurojit as nj
    >>> model = nj.LanguageModel(units=32, n_layers=1, max_epochs=5, learning_rate=0.01, random_state=0)
    >>> model = model.fit("the cat sat on the mat. " * 100)
    >>> model.sample(11, prime="the cat ", temperature=0)
    'sat on the '
    >>> bool(model.perplexity("the cat sat on the mat. the cat") < 1.5)
    True
    """

    _unit = "symbols"
    _computes_on_cuda = True

    def __init__(
        self,
        level="char",
        network=None,
        *,
        cell="lstm",
        units=128,
        n_layers=2,
        peephole=False,
        coupled=False,
        embedding_size="auto",
        dropout=0.0,
        min_count=1,
        max_vocab=None,
        sequence_length=64,
        optimizer="adam",
        learning_rate=3e-3,
        schedule="cosine",
        weight_decay=0.0,
        clip_norm=1.0,
        batch_size="auto",
        max_epochs=10,
        early_stopping=False,
        validation_fraction=0.1,
        n_iter_no_change=10,
        callbacks=None,
        device="cpu",
        n_threads=None,
        random_state=None,
        warm_start=False,
        verbose=0,
    ):
        self.level = level
        self.network = network
        self.cell = cell
        self.units = units
        self.n_layers = n_layers
        self.peephole = peephole
        self.coupled = coupled
        self.embedding_size = embedding_size
        self.dropout = dropout
        self.min_count = min_count
        self.max_vocab = max_vocab
        self.sequence_length = sequence_length
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.schedule = schedule
        self.weight_decay = weight_decay
        self.clip_norm = clip_norm
        self.batch_size = batch_size
        self.max_epochs = max_epochs
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.callbacks = callbacks
        self.device = device
        self.n_threads = n_threads
        self.random_state = random_state
        self.warm_start = warm_start
        self.verbose = verbose

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.string = True
        tags.no_validation = True
        return tags

    # -- fitting --------------------------------------------------------------------------------------------------

    def fit(self, text, y=None):
        """Learn the symbols of a text and what follows what.

        Parameters
        ----------
        text : str
            At least two symbols.
        y : object
            Not looked at.

        Returns
        -------
        self

        Raises
        ------
        TypeError, ValueError
            Before training, if the text or an option is wrong; the message names it, what it got and wanted.
        neurojit.training.TrainingDiverged
            If the loss becomes NaN or infinite; `network_` then holds the last good weights.
        """
        check_options(self)
        resume = self.warm_start and hasattr(self, "network_")
        return self._fit_text(text, resume, self.max_epochs, self.schedule)

    def partial_fit(self, text, y=None):
        """Train one epoch more on this text, at the full learning rate; the first call settles the symbols.

        Parameters
        ----------
        text : str
        y : object
            Not looked at.

        Returns
        -------
        self

        Raises
        ------
        TypeError, ValueError
            As for `fit`; also for a character that the first text did not have.
        """
        check_options(self)
        if self.early_stopping:
            raise ValueError("early_stopping: got True, wanted False for partial_fit, which trains a single epoch")
        return self._fit_text(text, hasattr(self, "network_"), 1, "constant")

    def _fit_text(self, text, resume, max_epochs, schedule):
        check_text(text)
        symbols = self._symbols if resume else TextSymbols.from_text(text, self.level, self.min_count, self.max_vocab)
        numbers = symbols.encode(text)
        train, held_out = self._cut(numbers)
        with threads(self.n_threads):
            if not resume:
                self.vocabulary_ = symbols.vocabulary
                self.input_shape_ = (int(self.sequence_length),)
                self._start(len(symbols), np.float32)
            sources = [None if part is None else self._stream_batches(part) for part in (train, held_out)]
            batch_size = self._batch_size(len(sources[0]))
            n_batches = sum(1 for _ in sources[0].batches(batch_size))
            self._train(*sources, batch_size, n_batches, max_epochs, schedule)
        return self

    def _cut(self, numbers):
        """The text to learn from and its end, held out to stop early, or None."""
        if len(numbers) < 2:
            raise ValueError(f"text: got {len(numbers)} symbol, wanted at least two: one to predict from the other")
        if not self.early_stopping:
            return numbers, None
        n_held_out = round(self.validation_fraction * len(numbers))
        if n_held_out < 2 or len(numbers) - n_held_out < 2:
            raise ValueError(
                f"validation_fraction: got {self.validation_fraction}, which holds out {n_held_out} of {len(numbers)}"
                " symbols, wanted at least two held out and two left to learn from"
            )
        return numbers[:-n_held_out], numbers[-n_held_out:]

    def _batch_size(self, n_samples):
        if self.batch_size == "auto":
            return max(1, min(_STREAMS, n_samples // (_LEAST_STEPS * self.sequence_length)))
        return int(self.batch_size)

    def _stream_batches(self, numbers):
        return training.StreamBatches(numbers, self.sequence_length)

    def _trial_input(self, dtype):
        return np.zeros((1, *self.input_shape_), np.int64)

    def _output_shape(self, n_outputs):
        return (*self.input_shape_, n_outputs)

    def _default_network(self, n_outputs):
        size = self.embedding_size
        if size == "auto":
            size = _CHARACTER_SIZE if self.level == "char" else self.units
        names = ("cell", "units", "n_layers", "peephole", "coupled", "dropout")
        options = {name: getattr(self, name) for name in names}
        return recurrent(n_outputs, per_step=True, n_symbols=n_outputs, embedding_size=size, **options)

    def _loss(self):
        return training.CrossEntropy()

    def _trainer_options(self):
        return {"clip_norm": self.clip_norm, "stateful": True}

    # -- saving ---------------------------------------------------------------------------------------------------

    def to_state(self):
        return super().to_state() | {"vocabulary": words_state(self.vocabulary_)}

    @classmethod
    def from_state(cls, state, custom_layers=None):
        estimator = super().from_state(state, custom_layers)
        estimator.vocabulary_ = vocabulary_from_state(state["vocabulary"])
        return estimator

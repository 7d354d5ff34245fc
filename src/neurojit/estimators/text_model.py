"""What a language model is asked once it is fitted: bits of a text, samples, continuations, streams."""

import math
import numbers

import numpy as np
from sklearn.utils.validation import check_is_fitted

from neurojit import decoding
from neurojit import functional as F
from neurojit.core.cuda import to_host
from neurojit.core.device import threads
from neurojit.core.random import Key
from neurojit.estimators.options import Number
from neurojit.estimators.text_stream import TextStream
from neurojit.functional.device_rows import taken_entries
from neurojit.layers.base import Mode
from neurojit.text.symbols import TextSymbols

_SCORED = 1 << 19  # log-odds made at a time to score a text
_LENGTH = Number("an integer >= 1", numbers.Integral, 1)
_TEMPERATURE = Number("a finite number >= 0", numbers.Real, 0)


class TextModel:
    """The questions to an estimator with a `network_` of symbols, a `vocabulary_` and a `level`."""

    @property
    def _symbols(self):
        return TextSymbols(self.level, self.vocabulary_)

    def stream(self, prime=""):
        """A reader of text that knows what may come next after all it has read.

        Parameters
        ----------
        prime : str, default=""
            Read first.

        Returns
        -------
        TextStream
            Its `feed` reads on, its `log_probabilities` say what may come next.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before `fit`.
        TypeError, ValueError
            If `prime` is no string, or has a character that is not known.
        """
        check_is_fitted(self)
        numbers = self._symbols.encode(prime, "prime")
        stream = TextStream(self.network_, self._symbols)
        return stream.feed_numbers(numbers) if len(numbers) else stream

    def score(self, text, y=None):
        """Bits a symbol that the model needs for a text, the first symbol left out: less is better.

        That is the mean of -log2 p(symbol given all before it), the cross-entropy of the text.

        Parameters
        ----------
        text : str
            At least two symbols.
        y : object
            Not looked at.

        Returns
        -------
        float

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before `fit`.
        TypeError, ValueError
            If the text is no string, is too short, or has a character that is not known.
        """
        check_is_fitted(self)
        check_text(text)
        numbers = self._symbols.encode(text).astype(np.int64)
        if len(numbers) < 2:
            raise ValueError(f"text: got {len(numbers)} symbol, wanted at least two: one to predict from the other")
        size, total, carry = max(1, _SCORED // len(self.vocabulary_)), 0.0, {}
        with threads(self.n_threads):
            for start in range(0, len(numbers) - 1, size):
                part = numbers[start : start + size + 1][None]
                outputs = self.network_.forward(part[:, :-1], Mode(carry=carry))
                total += float(F.cross_entropy(outputs, part[:, 1:])) * (part.size - 1)
        return total / (len(numbers) - 1) / math.log(2)

    def perplexity(self, text):
        """2 to the power of the bits a symbol of `score`: among how many symbols the model wavers; errors as there.

        Parameters
        ----------
        text : str
            At least two symbols.

        Returns
        -------
        float
        """
        return 2 ** self.score(text)

    def sample(self, length, prime="", temperature=1.0, random_state=None):
        """Write a text.

        Parameters
        ----------
        length : int
            Symbols to write.
        prime : str, default=""
            What stands before; not part of the result. Without it, the first symbol is drawn by how often each was seen
            in training.
        temperature : float, default=1.0
            What log-probabilities are divided by: below 1 the likely gets likelier; 0 takes the likeliest always.
        random_state : int, RandomState, Generator or None, default=None
            Seed of the draws.

        Returns
        -------
        str

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before `fit`.
        TypeError, ValueError
            If an argument is wrong, such as a `prime` with a character that is not known.
        """
        check_is_fitted(self)
        _LENGTH.check("length", length)
        _TEMPERATURE.check("temperature", temperature)
        draws = Key.from_random_state(random_state).uniform(length, dtype=np.float64)
        numbers = []
        with threads(self.n_threads):
            stream = self.stream(prime)
            for draw in draws:
                if numbers:
                    stream.feed_numbers(numbers[-1:])
                numbers.append(_drawn(stream.log_probabilities, temperature, draw))
        return self._symbols.decode(numbers)

    def beam_search(self, prime, length, width=10):
        """The continuation of a text that the model finds most probable, as far as a beam search finds it.

        Parameters
        ----------
        prime : str
            What stands before, at least one symbol; not part of the result.
        length : int
            Symbols of the continuation.
        width : int, default=10
            Continuations that are kept at each step.

        Returns
        -------
        str

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before `fit`.
        TypeError, ValueError
            If an argument is wrong, such as a `prime` with a character that is not known.
        """
        check_is_fitted(self)
        _LENGTH.check("length", length)
        _LENGTH.check("width", width)
        start = self._symbols.encode(prime, "prime").astype(np.int64)
        if len(start) == 0:
            raise ValueError("prime: got an empty text, wanted at least one symbol to go on from")
        carry = {}

        def step(numbers, state):
            carry = dict(state)
            outputs = self.network_.forward(numbers[:, None], Mode(carry=carry))
            return F.log_softmax(to_host(outputs)[:, -1]), carry

        with threads(self.n_threads):
            if len(start) > 1:
                self.network_.forward(start[None, :-1], Mode(carry=carry))
            options = {"max_length": length, "width": width, "verbose": self.verbose}
            options["reorder"] = _reorder(self.network_.device)
            (best,) = decoding.step_beam_search(step, int(start[-1]), state=carry, **options)
        return self._symbols.decode(best.tokens)


def _reorder(device):
    """What takes rows of carried states; None is the search's own, for arrays on the host."""
    if device == "cpu":
        return None
    return lambda carry, rows: {layer: tuple(taken_entries(s, rows) for s in states) for layer, states in carry.items()}


def check_text(text):
    """Raise unless this is a text with something in it."""
    if not isinstance(text, str):
        raise TypeError(f"text: got {type(text).__name__}, wanted a string")
    if not text.strip():
        raise ValueError(f"text: got {text[:20]!r}, an empty text, wanted at least two symbols")


def _drawn(log_probabilities, temperature, draw):
    """The symbol at which the distribution function passes a draw from 0 to 1."""
    logits = log_probabilities.astype(np.float64)
    if temperature == 0:
        return int(logits.argmax())
    weights = np.cumsum(np.exp((logits - logits.max()) / temperature))
    return int(min(np.searchsorted(weights, draw * weights[-1], side="right"), len(weights) - 1))

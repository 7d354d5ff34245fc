"""Words and their numbers."""

import numbers
from collections import Counter

import numpy as np


class Vocabulary:
    """The words that are known, each with a number from 0 on and how often it was seen.

    Parameters
    ----------
    words : sequence of str
        In the order of their numbers, all different.
    counts : array-like of int, shape (n_words,), or None, default=None
        How often each was seen; None counts every word once.
    unknown : str or None, default=None
        The word that stands for all others and is one of `words`; None for none.

    Attributes
    ----------
    words : list of str
    counts : numpy.ndarray, shape (n_words,)
        int64.
    index : dict
        From word to number.

    Raises
    ------
    TypeError
        If a word is no string.
    ValueError
        If a word stands twice, there are not as many counts, or `unknown` is not among the words.

    Examples
    --------
    >>> from neurojit.text import Vocabulary
    >>> vocabulary = Vocabulary.from_sentences([["a", "rose", "is", "a", "rose"]], min_count=2)
    >>> vocabulary.words
    ['a', 'rose']
    >>> vocabulary.encode(["rose", "a"])
    array([1, 0], dtype=int32)
    >>> vocabulary.decode([1, 0])
    ['rose', 'a']
    """

    def __init__(self, words, counts=None, unknown=None):
        self.words = list(words)
        for word in self.words:
            if not isinstance(word, str):
                raise TypeError(f"words: got {word!r}, wanted strings")
        self.index = {word: i for i, word in enumerate(self.words)}
        if len(self.index) < len(self.words):
            twice = next(word for word, n in Counter(self.words).items() if n > 1)
            raise ValueError(f"words: got {twice!r} twice, wanted different words")
        self.counts = np.ones(len(self.words), np.int64) if counts is None else np.array(counts, np.int64)
        if self.counts.shape != (len(self.words),):
            raise ValueError(f"counts: got shape {self.counts.shape}, wanted ({len(self.words)},), one for each word")
        if unknown is not None and unknown not in self.index:
            raise ValueError(f"unknown: got {unknown!r}, wanted one of the words")
        self.unknown = unknown

    @classmethod
    def from_sentences(cls, sentences, min_count=1, max_size=None, unknown=None):
        """The words of some text, the most frequent first, words seen equally often in the order of the text.

        Parameters
        ----------
        sentences : iterable of (list of str or str), or LineSentences
            A string is split on white space.
        min_count : int, default=1
            Leave out words seen less often.
        max_size : int or None, default=None
            Keep at most so many words, the most frequent.
        unknown : str or None, default=None
            A word to stand for all that are left out, with their number together; it comes last.

        Returns
        -------
        Vocabulary

        Raises
        ------
        TypeError
            If `sentences` is a single string, or something in it is neither a string nor a list of strings.
        """
        from neurojit.text.sentences import word_counts

        counts = word_counts(sentences)
        return cls.from_counts(counts, min_count=min_count, max_size=max_size, unknown=unknown)

    @classmethod
    def from_counts(cls, counts, min_count=1, max_size=None, unknown=None):
        """The same from words that are counted already: a dict from word to number."""
        for name, value in (("min_count", min_count), ("max_size", 1 if max_size is None else max_size)):
            if isinstance(value, bool) or not isinstance(value, numbers.Integral):
                raise TypeError(f"{name}: got {value!r}, wanted an integer")
            if value < 1:
                raise ValueError(f"{name}: got {value!r}, wanted an integer >= 1")
        kept = sorted((item for item in counts.items() if item[1] >= min_count), key=lambda item: -item[1])[:max_size]
        if unknown is not None:
            kept = [item for item in kept if item[0] != unknown]
            kept.append((unknown, sum(counts.values()) - sum(n for _, n in kept)))
        return cls([word for word, _ in kept], [n for _, n in kept], unknown)

    def __len__(self):
        return len(self.words)

    def __contains__(self, word):
        return word in self.index

    def __iter__(self):
        return iter(self.words)

    def __repr__(self):
        return f"<Vocabulary of {len(self)} words, seen {self.counts.sum()} times>"

    def encode(self, tokens, ignore_missing=False):
        """The numbers of some words.

        Parameters
        ----------
        tokens : iterable of str
        ignore_missing : bool, default=False
            Whether to leave out words that are not known. Where there is an `unknown` word, none are missing.

        Returns
        -------
        numpy.ndarray, shape (n,)
            int32.

        Raises
        ------
        KeyError
            If words are not known; names them.
        """
        tokens = list(tokens)
        other = -1 if self.unknown is None else self.index[self.unknown]
        found = np.array([self.index.get(token, other) for token in tokens], np.int32)
        missing = found < 0
        if missing.any() and not ignore_missing:
            raise KeyError(f"tokens: got unknown words {_some([tokens[i] for i in np.flatnonzero(missing)])}")
        return found[~missing]

    def decode(self, numbers):
        """The words of some numbers."""
        return [self.words[i] for i in numbers]


def _some(words, most=10):
    """A few of some words, for a message."""
    different = list(dict.fromkeys(words))
    return f"{different[:most]}" + (f" and {len(different) - most} more" if len(different) > most else "")

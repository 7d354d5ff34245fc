"""Sentences as callers have them: lists of words, strings, or lines of a file."""

from collections import Counter

import numpy as np

from neurojit.text.lines import LineSentences


def check_sentences(sentences, *, passes):
    """Raise unless these are sentences that can be read `passes` times.

    Raises
    ------
    TypeError
        If it is a single string, no iterable, or one that can be read once where more is wanted.
    """
    if isinstance(sentences, str | bytes):
        raise TypeError(
            f"sentences: got a single string {sentences[:40]!r}, wanted a list of sentences, each a list of words:"
            " [text.split()] for one sentence, neurojit.text.LineSentences(path) for a file"
        )
    if not hasattr(sentences, "__iter__"):
        raise TypeError(f"sentences: got {type(sentences).__name__}, wanted an iterable of lists of words")
    if passes > 1 and iter(sentences) is sentences:
        raise TypeError(
            f"sentences: got a {type(sentences).__name__} that can be read once, wanted one that can be read {passes}"
            " times (to count the words, and in each epoch): a list, or an object whose __iter__ begins anew"
        )


def word_counts(sentences, min_count=1, counted=None):
    """How often each word occurs: a dict in the order of first appearance.

    Words that occur less than `min_count` times may be left out: of a large file that saves memory. ``counted(n)`` is
    told of n more words whenever some have been counted.
    """
    if isinstance(sentences, LineSentences):
        return sentences.word_counts(min_count, counted)
    counts = Counter()
    for sentence in token_lists(sentences):
        counts.update(sentence)
        if counted is not None:
            counted(len(sentence))
    return dict(counts)


def token_lists(sentences):
    """Each sentence as a list of strings.

    Raises
    ------
    TypeError
        If something is neither a string nor a sequence of strings; says which.
    """
    check_sentences(sentences, passes=1)
    for i, sentence in enumerate(sentences):
        if isinstance(sentence, str):
            yield sentence.split()
            continue
        if not hasattr(sentence, "__iter__") or isinstance(sentence, bytes):
            raise TypeError(
                f"sentences[{i}]: got {type(sentence).__name__}, wanted a list of words, or a string to split"
            )
        tokens = list(sentence)
        for token in tokens:
            if not isinstance(token, str):
                raise TypeError(f"sentences[{i}]: got the word {token!r}, a {type(token).__name__}, wanted strings")
        yield tokens


def token_arrays(sentences, vocabulary):
    """The numbers of the known words, in arrays of any length, with -1 after each sentence."""
    if isinstance(sentences, LineSentences):
        yield from sentences.token_arrays(vocabulary)
        return
    number = vocabulary.index.get
    for sentence in token_lists(sentences):
        found = [number(word, -2) for word in sentence]
        found.append(-1)
        tokens = np.array(found, np.int32)
        yield tokens[tokens != -2]


def buffers(arrays, size):
    """The same tokens in arrays of exactly `size`, but the last; a sentence that does not fit is cut."""
    buffer, used = np.empty(size, np.int32), 0
    for tokens in arrays:
        while tokens.size:
            part = tokens[: size - used]
            buffer[used : used + part.size] = part
            used += part.size
            tokens = tokens[part.size :]
            if used == size:
                yield buffer
                used = 0
    if used:
        yield buffer[:used]

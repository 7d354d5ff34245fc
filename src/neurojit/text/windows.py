"""The words round each word: the examples that CBOW and skip-gram learn from."""

import numbers


def skip_grams(tokens, window):
    """The pairs of a word and each word within its window (Mikolov, Chen, Corrado and Dean 2013, section 3.2).

    Parameters
    ----------
    tokens : sequence
        Words of one sentence.
    window : int
        How many words on either side.

    Returns
    -------
    list of tuple
        (word in the middle, word near it), from the first word of the sentence to the last.

    Raises
    ------
    TypeError
        If `tokens` is a string, or `window` no integer.
    ValueError
        If `window` is below 1.

    Examples
    --------
    >>> from neurojit.text import skip_grams
    >>> skip_grams("the wide road".split(), window=1)
    [('the', 'wide'), ('wide', 'the'), ('wide', 'road'), ('road', 'wide')]
    """
    return [(middle, near) for middle, around in contexts(tokens, window) for near in around]


def contexts(tokens, window):
    """Each word with the list of words within its window.

    Parameters
    ----------
    tokens : sequence
        Words of one sentence.
    window : int
        How many words on either side.

    Returns
    -------
    list of tuple
        (word in the middle, list of the words near it in their order).

    Raises
    ------
    TypeError
        If `tokens` is a string, or `window` no integer.
    ValueError
        If `window` is below 1.

    Examples
    --------
    >>> from neurojit.text import contexts
    >>> contexts("the wide road".split(), window=2)
    [('the', ['wide', 'road']), ('wide', ['the', 'road']), ('road', ['the', 'wide'])]
    """
    if isinstance(tokens, str | bytes):
        raise TypeError(f"tokens: got the string {tokens[:40]!r}, wanted a list of words, such as {'a b'!r}.split()")
    if isinstance(window, bool) or not isinstance(window, numbers.Integral):
        raise TypeError(f"window: got {window!r}, wanted an integer")
    if window < 1:
        raise ValueError(f"window: got {window!r}, wanted an integer >= 1")
    tokens = list(tokens)
    return [
        (middle, tokens[max(i - window, 0) : i] + tokens[i + 1 : i + window + 1]) for i, middle in enumerate(tokens)
    ]

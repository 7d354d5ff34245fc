"""A text as the numbers of its characters or words, and back."""

import re
from collections import Counter

from neurojit.text.vocabulary import Vocabulary

LEVELS = ("char", "word")
UNKNOWN = "<unk>"
_WORD_OR_LINE_END = re.compile(r"\S+|\n")


class TextSymbols:
    r"""The symbols a text is made of: characters, or words and ends of lines.

    Parameters
    ----------
    level : {"char", "word"}
        Words are what stands between white space; the end of a line is a symbol, too.
    vocabulary : Vocabulary

    Examples
    --------
    >>> from neurojit.text.symbols import TextSymbols
    >>> symbols = TextSymbols.from_text("to be or\nnot to be", "word")
    >>> symbols.encode("to be\nto me").tolist(), symbols.decode([1, 2, 4])
    ([0, 1, 3, 0, 5], 'be or not')
    """

    def __init__(self, level, vocabulary):
        self.level = level
        self.vocabulary = vocabulary

    @classmethod
    def from_text(cls, text, level, min_count=1, max_size=None):
        """The symbols of a text: all characters, sorted, or its words, the most frequent first and "<unk>" last.

        Parameters
        ----------
        text : str
        level : {"char", "word"}
        min_count : int, default=1
            Words seen less often are unknown.
        max_size : int or None, default=None
            Most words that are known.
        """
        counts = Counter(split(text, level))
        if level == "char":
            characters = sorted(counts)
            return cls(level, Vocabulary(characters, [counts[character] for character in characters]))
        return cls(level, Vocabulary.from_counts(counts, min_count=min_count, max_size=max_size, unknown=UNKNOWN))

    def __len__(self):
        return len(self.vocabulary)

    def encode(self, text, name="text"):
        """The numbers of a text's symbols, int32.

        Raises
        ------
        TypeError
            If it is no string; names the argument.
        ValueError
            If there is a character that is not known.
        """
        if not isinstance(text, str):
            raise TypeError(f"{name}: got {type(text).__name__}, wanted a string")
        try:
            return self.vocabulary.encode(split(text, self.level))
        except KeyError:
            unknown = sorted(set(text) - set(self.vocabulary))
            raise ValueError(
                f"{name}: got unknown characters {unknown[:10]}, wanted those of the text in fit:"
                f" {''.join(self.vocabulary)!r}"
            ) from None

    def decode(self, numbers):
        """The text of some numbers; words are parted by a space, but not at the ends of lines."""
        return join(self.vocabulary.decode(numbers), self.level)


def split(text, level):
    """The characters of a text, or its words and ends of lines."""
    return list(text) if level == "char" else _WORD_OR_LINE_END.findall(text)


def join(symbols, level):
    """The text that is made of symbols."""
    if level == "char":
        return "".join(symbols)
    return " ".join(symbols).replace(" \n", "\n").replace("\n ", "\n")

"""Sentences from a file, a line each, read piece by piece."""

import contextlib
import gzip
import os
import zlib
from pathlib import Path

import numpy as np

from neurojit.kernels.cpu import words as kernels

_PIECE = 1 << 18  # bytes read at a time
_SPACE = b" \t\n\r\v\f"


class LineSentences:
    r"""The sentences of a text file: one a line, words between white space.

    Can be read any number of times and holds a quarter of a megabyte of the file at a time. Words are separated by
    ASCII white space, as in the original word2vec; a line of more than `max_words` words is cut.

    Parameters
    ----------
    path : str or os.PathLike
        UTF-8 text; a name ending in .gz is unpacked while reading.
    max_words : int, default=10000
        Words of a sentence at most.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If `max_words` is below 1; while reading, if the file is not UTF-8, or not whole.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from neurojit.text import LineSentences
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "text.txt"
    ...     _ = path.write_text("the wide road\nshimmered in the hot sun\n")
    ...     list(LineSentences(path))
    [['the', 'wide', 'road'], ['shimmered', 'in', 'the', 'hot', 'sun']]
    """

    def __init__(self, path, max_words=10_000):
        self.path = Path(path)
        if not self.path.is_file():
            raise FileNotFoundError(f"path: got {os.fspath(path)!r}, wanted a text file that exists")
        if max_words < 1:
            raise ValueError(f"max_words: got {max_words!r}, wanted an integer >= 1")
        self.max_words = max_words

    def __repr__(self):
        return f"LineSentences({str(self.path)!r})"

    def __iter__(self):
        sentence = []
        for piece in self._pieces():
            lines = piece.decode().split("\n")
            for i, line in enumerate(lines):
                for word in line.split():
                    if len(sentence) == self.max_words:
                        yield sentence
                        sentence = []
                    sentence.append(word)
                if i < len(lines) - 1 and sentence:
                    yield sentence
                    sentence = []
        if sentence:
            yield sentence

    def _open(self):
        return gzip.open(self.path) if self.path.suffix == ".gz" else open(self.path, "rb")

    def _pieces(self):
        """The file in pieces of whole words, each valid UTF-8."""
        rest, offset = b"", 0
        with self._named_errors(), self._open() as file:
            while read := file.read(_PIECE):
                piece = rest + read
                end = max(piece.rfind(byte) for byte in _SPACE) + 1
                rest = piece[end:]
                if end:
                    yield self._checked(piece[:end], offset)
                    offset += end
            if rest:
                yield self._checked(rest, offset)

    @contextlib.contextmanager
    def _named_errors(self):
        try:
            yield
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise ValueError(f"path: got {str(self.path)!r}, truncated or no gzip file at all ({error})") from error

    def _checked(self, piece, offset):
        if not piece.isascii():
            try:
                piece.decode()
            except UnicodeDecodeError as error:
                at = offset + error.start
                raise ValueError(
                    f"path: got {str(self.path)!r} with byte {piece[error.start]:#04x} at {at}, wanted UTF-8 text"
                ) from error
        return piece

    def word_counts(self, min_count=1, counted=None):
        """How often each word occurs, at least `min_count` times: a dict in the order of first appearance.

        ``counted(n)`` is told of n more words after each piece of the file.
        """
        table, n_words = WordTable(), 0
        for piece in self._pieces():
            table.count(piece)
            if counted is not None:
                before, n_words = n_words, int(table.counts[: table.n_words].sum())
                counted(n_words - before)
        frequent = np.flatnonzero(table.counts[: table.n_words] >= min_count)
        return dict(zip(table.words(frequent), table.counts[frequent].tolist(), strict=True))

    def token_arrays(self, vocabulary):
        """The numbers of the known words, piece by piece, with -1 after each sentence."""
        table = WordTable()
        numbers = table.add(vocabulary.words)
        length = 0
        for piece in self._pieces():
            tokens, length = table.encode(piece, numbers, self.max_words, length)
            yield tokens


class WordTable:
    """A hash table of words as bytes; see kernels/cpu/words.py."""

    def __init__(self):
        self.n_words = 0
        self.slots = np.full(1 << 12, -1, np.int32)
        self.hashes = np.empty(1 << 11, np.uint64)
        self.bounds = np.zeros((1 << 11) + 1, np.int64)
        self.letters = np.empty(1 << 14, np.uint8)
        self.counts = np.empty(1 << 11, np.int64)

    def count(self, text):
        """Count the words of some bytes that cut no word."""
        text = _bytes(text)
        start = 0
        while start < text.size:
            start, self.n_words = kernels.count_words(
                text, start, self.slots, self.hashes, self.bounds, self.letters, self.counts, self.n_words
            )
            if start < text.size:
                self._grow(text.size)

    def _grow(self, longest):
        """Twice the words, and twice the letters or as many more as a word may have."""
        self.counts = np.resize(self.counts, 2 * self.counts.size)
        self.hashes = np.resize(self.hashes, 2 * self.hashes.size)
        self.bounds = np.resize(self.bounds, self.counts.size + 1)
        self.letters = np.resize(self.letters, max(2 * self.letters.size, self.letters.size + longest))
        self.slots = np.empty(2 * self.slots.size, np.int32)
        kernels.rehash(self.hashes, self.n_words, self.slots)

    def words(self, numbers):
        """The words of some numbers."""
        letters = self.letters[: self.bounds[self.n_words]].tobytes()
        bounds = zip(self.bounds[numbers].tolist(), self.bounds[numbers + 1].tolist(), strict=True)
        return [letters[start:end].decode() for start, end in bounds]

    def add(self, words):
        """Put words into an empty table; the position in `words` of each word of the table.

        A word with white space in it never comes out of a line of text, and is left out.
        """
        encoded = [word.encode() for word in words]
        whole = [i for i, word in enumerate(encoded) if word and len(word.split()) == 1]
        self.count(b"\n".join(encoded[i].strip() for i in whole))
        return np.array(whole, np.int32)

    def encode(self, text, numbers, most, length):
        """The numbers of the known words of some bytes that cut no word; see `encode_words`."""
        text = _bytes(text)
        tokens = np.empty(text.size + 1, np.int32)
        count, length = kernels.encode_words(
            text, self.slots, self.hashes, self.bounds, self.letters, numbers, most, length, tokens
        )
        return tokens[:count], length


def _bytes(text):
    return np.frombuffer(bytearray(text), np.uint8)  # writable, as kernels are compiled for

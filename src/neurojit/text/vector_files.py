"""Files of word vectors: the text and binary format of the original word2vec, and parts of our own."""

import gzip
import json
import zlib
from pathlib import Path

import numpy as np

from neurojit.core.files import atomic_path
from neurojit.text.vocabulary import Vocabulary

_LONGEST = 10_000  # bytes of a word; more means that it is no such file
_ROWS = 1 << 20  # numbers written at a time


def save(path, words, vectors, binary):
    """Write words and vectors in word2vec's format.

    The first line says how many words and numbers in a vector. Then each word, a space and its vector: float32
    numbers, the least significant byte first, or decimal ones between spaces and a line end.
    """
    for word in words:
        if not word or len(word.split()) != 1 or word != word.strip():
            raise ValueError(
                f"path: got the word {word!r}, wanted words without white space: the format has it between them"
            )
    with atomic_path(path) as temporary:
        packed = Path(path).suffix == ".gz"
        with gzip.open(temporary, "wb", compresslevel=6) if packed else open(temporary, "wb") as file:
            file.write(f"{len(words)} {vectors.shape[1]}\n".encode())
            step = max(1, _ROWS // max(1, vectors.shape[1]))
            for start in range(0, len(words), step):
                rows = np.ascontiguousarray(vectors[start : start + step])
                file.write(b"".join(_entries(words[start : start + step], rows, binary)))


def _entries(words, rows, binary):
    if binary:
        for word, row in zip(words, rows.astype("<f4"), strict=True):
            yield word.encode() + b" " + row.tobytes()
        return
    for word, row in zip(words, rows, strict=True):
        yield f"{word} {' '.join(map(str, row))}\n".encode()  # str of a NumPy number reads back as the same


def load(path, binary, limit):
    """Words and float32 vectors of a file in word2vec's format."""
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"path: got {str(path)!r}, wanted a file that exists")
    try:
        with gzip.open(path) if path.suffix == ".gz" else open(path, "rb") as file:
            n_words, size = _header(path, file)
            n_words = n_words if limit is None else min(n_words, limit)
            read = _read_binary if binary else _read_text
            words, vectors = read(path, file, n_words, size)
    except (EOFError, zlib.error, gzip.BadGzipFile, UnicodeDecodeError) as error:
        raise ValueError(f"path: got {str(path)!r}, truncated or no file of word vectors ({error})") from error
    if len(set(words)) < len(words):
        raise ValueError(f"path: got {str(path)!r} with a word that stands twice: it is damaged")
    return words, vectors


def _header(path, file):
    line = file.readline(100)
    try:
        n_words, size = (int(number) for number in line.split())
    except ValueError:
        n_words, size = -1, -1
    if n_words < 0 or size < 1:
        raise ValueError(
            f"path: got {str(path)!r} that begins with {line[:40]!r}, wanted two numbers: words and vector size"
        )
    return n_words, size


def _read_text(path, file, n_words, size):
    words, vectors = [], np.empty((n_words, size), np.float32)
    for i in range(n_words):
        line = file.readline()
        if not line.endswith(b"\n") and i < n_words - 1:
            raise ValueError(f"path: got {str(path)!r} that ends at word {i + 1} of {n_words}: it is truncated")
        word, *numbers = line.decode().rstrip().split(" ")
        try:
            row = np.array(numbers, np.float32)
        except ValueError:
            row = np.empty(0, np.float32)
        if len(row) != size:
            raise ValueError(
                f"path: got {str(path)!r} with {len(row)} numbers in line {i + 2}, wanted {size}: it is damaged"
            )
        vectors[i] = row
        words.append(word)
    return words, vectors


def _read_binary(path, file, n_words, size):
    words, vectors = [], np.empty((n_words, size), np.float32)
    for i in range(n_words):
        word = _word(file)
        row = file.read(4 * size)
        if word is None or len(row) < 4 * size:
            raise ValueError(
                f"path: got {str(path)!r} that ends at word {i + 1} of {n_words}: it is truncated, or no binary"
            )
        words.append(word)
        vectors[i] = np.frombuffer(row, "<f4")
    return words, vectors


def _word(file):
    """The next word up to a space, without the line end some writers put before it; None if there is none."""
    letters = bytearray()
    while (byte := file.read(1)) != b" ":
        if not byte or len(letters) > _LONGEST:
            return None
        if letters or byte != b"\n":
            letters += byte
    return letters.decode()


def words_state(vocabulary):
    """A vocabulary as arrays for `neurojit.core.statefile`: bytes of all words end to end, where each ends, counts."""
    encoded = [word.encode() for word in vocabulary.words]
    return {
        "letters": np.frombuffer(b"".join(encoded), np.uint8),
        "ends": np.cumsum([len(word) for word in encoded], dtype=np.int64),
        "counts": vocabulary.counts,
        "unknown": vocabulary.unknown,
    }


def vocabulary(state):
    """The vocabulary that `words_state` describes."""
    letters, ends = state["letters"].tobytes(), state["ends"].tolist()
    words = [letters[start:end].decode() for start, end in zip([0, *ends], ends, strict=False)]
    return Vocabulary(words, state["counts"], state["unknown"])


def memory_map(path, name):
    """An array of a safetensors file, left in the file."""
    with open(path, "rb") as file:
        length = int.from_bytes(file.read(8), "little")
        entry = json.loads(file.read(length))[name]
    kind = {"F32": "<f4", "F64": "<f8"}[entry["dtype"]]
    offset = 8 + length + entry["data_offsets"][0]
    return np.memmap(path, kind, "r", offset, tuple(entry["shape"]))

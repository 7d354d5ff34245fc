"""Sentences from files: counted and encoded as plain Python would."""

import gzip
from collections import Counter

import numpy as np
import pytest

from neurojit.text import LineSentences, Vocabulary, lines
from neurojit.text.sentences import buffers, token_arrays

TEXT = "the wide  road\n\nshimmered in\tthe hot sun \r\nÜber größe 日本 the\n a b"
SENTENCES = [line.split() for line in TEXT.split("\n") if line.split()]


@pytest.fixture(params=["plain", "gz"])
def path(request, tmp_path):
    if request.param == "plain":
        path = tmp_path / "text.txt"
        path.write_bytes(TEXT.encode())
    else:
        path = tmp_path / "text.txt.gz"
        path.write_bytes(gzip.compress(TEXT.encode()))
    return path


@pytest.fixture(params=[1, 7, 1 << 20], ids=lambda n: f"{n} bytes at a time")
def pieces(request, monkeypatch):
    monkeypatch.setattr(lines, "_PIECE", request.param)


def sentences_of(arrays, vocabulary):
    tokens = np.concatenate(list(arrays))
    ends = np.flatnonzero(tokens < 0)
    parts = [part[part >= 0] for part in np.split(tokens, ends)]
    return [vocabulary.decode(part) for part in parts if len(part)]


def test_reads_sentences_again_and_again(path, pieces):
    read = LineSentences(path)
    assert list(read) == SENTENCES
    assert list(read) == SENTENCES


def test_counts_words(path, pieces):
    counts = LineSentences(path).word_counts()
    assert counts == Counter(word for sentence in SENTENCES for word in sentence)
    assert list(counts)[:3] == ["the", "wide", "road"], "in the order of the text"
    assert LineSentences(path).word_counts(min_count=2) == {"the": 3}


def test_encodes_known_words(path, pieces):
    vocabulary = Vocabulary(["the", "größe", "white space", "sun", "a"])
    expected = [[word for word in sentence if word in vocabulary] for sentence in SENTENCES]
    assert sentences_of(LineSentences(path).token_arrays(vocabulary), vocabulary) == [s for s in expected if s]


def test_long_lines_are_cut(path, pieces):
    vocabulary = Vocabulary.from_sentences(SENTENCES)
    cut = LineSentences(path, max_words=2)
    expected = [sentence[i : i + 2] for sentence in SENTENCES for i in range(0, len(sentence), 2)]
    assert list(cut) == expected
    assert sentences_of(cut.token_arrays(vocabulary), vocabulary) == expected


def test_many_words_make_the_table_grow(tmp_path, rng):
    letters = np.array(list("abcdefghij"))
    words = ["".join(rng.choice(letters, rng.integers(1, 30))) for _ in range(20_000)]
    words += list(rng.choice(words, 20_000))
    path = tmp_path / "words.txt"
    path.write_text(" ".join(words))
    read = LineSentences(path)
    assert read.word_counts() == Counter(words)
    vocabulary = Vocabulary.from_counts(Counter(words))
    tokens = np.concatenate(list(read.token_arrays(vocabulary)))
    assert vocabulary.decode(tokens[tokens >= 0]) == words


def test_a_word_may_be_longer_than_a_piece(tmp_path, monkeypatch):
    monkeypatch.setattr(lines, "_PIECE", 1000)
    path = tmp_path / "long.txt"
    path.write_text("a " + "x" * 100_000 + " b")
    assert LineSentences(path).word_counts() == {"a": 1, "x" * 100_000: 1, "b": 1}


def test_an_empty_file(tmp_path):
    path = tmp_path / "empty.txt"
    path.write_text("\n \n")
    assert list(LineSentences(path)) == []
    assert LineSentences(path).word_counts() == {}


def test_lists_and_files_encode_alike(path):
    vocabulary = Vocabulary.from_sentences(LineSentences(path), min_count=1)
    assert vocabulary.words == Vocabulary.from_sentences(SENTENCES).words
    from_lists = token_arrays(SENTENCES, vocabulary)
    from_strings = token_arrays(TEXT.split("\n"), vocabulary)
    expected = sentences_of(LineSentences(path).token_arrays(vocabulary), vocabulary)
    assert sentences_of(from_lists, vocabulary) == expected
    assert sentences_of(from_strings, vocabulary) == expected


@pytest.mark.parametrize("size", [1, 3, 10, 100])
def test_buffers_hold_the_same_tokens(size):
    arrays = [np.arange(n, dtype=np.int32) for n in (0, 1, 5, 2, 9)]
    found = [buffer.copy() for buffer in buffers(arrays, size)]
    np.testing.assert_array_equal(np.concatenate(found), np.concatenate(arrays))
    assert [len(part) for part in found[:-1]] == [size] * (len(found) - 1)


def test_no_such_file(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"path: got .*none\.txt.*, wanted a text file that exists"):
        LineSentences(tmp_path / "none.txt")


def test_bytes_that_are_no_utf8(tmp_path, pieces):
    path = tmp_path / "latin.txt"
    path.write_bytes(b"abc def\n gr\xf6\xdfe\n")
    for read in (lambda s: s.word_counts(), list, lambda s: list(s.token_arrays(Vocabulary(["abc"])))):
        with pytest.raises(ValueError, match="with byte 0xf6 at 11, wanted UTF-8 text"):
            read(LineSentences(path))


def test_a_truncated_archive(tmp_path):
    path = tmp_path / "text.gz"
    path.write_bytes(gzip.compress(b"abc " * 10_000)[:-12])
    with pytest.raises(ValueError, match="truncated or no gzip file"):
        LineSentences(path).word_counts()
    path.write_bytes(b"no archive at all")
    with pytest.raises(ValueError, match="truncated or no gzip file"):
        LineSentences(path).word_counts()


def test_bad_length():
    with pytest.raises(ValueError, match="max_words: got 0"):
        LineSentences(__file__, max_words=0)

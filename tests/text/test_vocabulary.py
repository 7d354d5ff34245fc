"""Words and their numbers."""

import numpy as np
import pytest

from neurojit.text import Vocabulary

SENTENCES = [["b", "a", "c", "a"], ["a", "d", "b"], "c e\tf"]


def test_the_most_frequent_comes_first_then_the_first_seen():
    vocabulary = Vocabulary.from_sentences(SENTENCES)
    assert vocabulary.words == ["a", "b", "c", "d", "e", "f"]
    assert vocabulary.counts.tolist() == [3, 2, 2, 1, 1, 1]
    assert vocabulary.counts.dtype == np.int64
    assert len(vocabulary) == 6
    assert "d" in vocabulary
    assert "g" not in vocabulary


def test_rare_words_are_left_out():
    assert Vocabulary.from_sentences(SENTENCES, min_count=2).words == ["a", "b", "c"]
    assert Vocabulary.from_sentences(SENTENCES, max_size=2).words == ["a", "b"]
    assert Vocabulary.from_sentences(SENTENCES, min_count=9).words == []


def test_an_unknown_word_stands_for_all_others():
    vocabulary = Vocabulary.from_sentences(SENTENCES, min_count=2, unknown="<unk>")
    assert vocabulary.words == ["a", "b", "c", "<unk>"]
    assert vocabulary.counts.tolist() == [3, 2, 2, 3]
    assert vocabulary.encode(["a", "zebra", "d"]).tolist() == [0, 3, 3]
    again = Vocabulary.from_sentences([["<unk>", "a"], ["<unk>"]], unknown="<unk>")
    assert dict(zip(again.words, again.counts.tolist(), strict=True)) == {"a": 1, "<unk>": 2}


def test_encode_and_decode():
    vocabulary = Vocabulary(["x", "y"])
    numbers = vocabulary.encode(["y", "x", "y"])
    assert numbers.dtype == np.int32
    assert numbers.tolist() == [1, 0, 1]
    assert vocabulary.decode(numbers) == ["y", "x", "y"]
    assert vocabulary.encode([]).tolist() == []
    assert vocabulary.encode(["y", "z"], ignore_missing=True).tolist() == [1]
    with pytest.raises(KeyError, match=r"tokens: got unknown words \['z', 'w'\]"):
        vocabulary.encode(["z", "x", "w", "z"])


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: Vocabulary(["a", "b", "a"]), ValueError, "words: got 'a' twice"),
        (lambda: Vocabulary(["a", 3]), TypeError, "words: got 3, wanted strings"),
        (lambda: Vocabulary(["a"], [1, 2]), ValueError, r"counts: got shape \(2,\), wanted \(1,\)"),
        (lambda: Vocabulary(["a"], unknown="b"), ValueError, "unknown: got 'b'"),
        (lambda: Vocabulary.from_sentences("a b"), TypeError, "sentences: got a single string 'a b'.*LineSentences"),
        (lambda: Vocabulary.from_sentences([["a", 1]]), TypeError, r"sentences\[0\]: got the word 1, a int"),
        (lambda: Vocabulary.from_sentences([["a"], 5]), TypeError, r"sentences\[1\]: got int"),
        (lambda: Vocabulary.from_sentences([b"a"]), TypeError, r"sentences\[0\]: got bytes"),
        (lambda: Vocabulary.from_sentences(7), TypeError, "sentences: got int"),
        (lambda: Vocabulary.from_sentences([], min_count=0), ValueError, "min_count: got 0"),
        (lambda: Vocabulary.from_sentences([], max_size=1.5), TypeError, "max_size: got 1.5"),
    ],
)
def test_bad_input(make, error, message):
    with pytest.raises(error, match=message):
        make()

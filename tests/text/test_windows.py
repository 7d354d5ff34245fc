"""The training pairs of the lecture's table."""

import pytest

from neurojit.text import contexts, skip_grams

SENTENCE = ["The", "wide", "road", "shimmered", "in", "the", "hot", "sun"]


def test_window_of_two():
    pairs = {}
    for middle, near in skip_grams(SENTENCE, 2):
        pairs.setdefault(middle, []).append(near)
    assert pairs == {
        "The": ["wide", "road"],
        "wide": ["The", "road", "shimmered"],
        "road": ["The", "wide", "shimmered", "in"],
        "shimmered": ["wide", "road", "in", "the"],
        "in": ["road", "shimmered", "the", "hot"],
        "the": ["shimmered", "in", "hot", "sun"],
        "hot": ["in", "the", "sun"],
        "sun": ["the", "hot"],
    }
    assert contexts(SENTENCE, 2) == list(pairs.items())


def test_window_of_three():
    table = dict(contexts(SENTENCE, 3))
    assert table["The"] == ["wide", "road", "shimmered"]
    assert table["wide"] == ["The", "road", "shimmered", "in"]
    assert table["road"] == ["The", "wide", "shimmered", "in", "the"]
    assert table["shimmered"] == ["The", "wide", "road", "in", "the", "hot"]
    assert table["in"] == ["wide", "road", "shimmered", "the", "hot", "sun"]
    assert table["the"] == ["road", "shimmered", "in", "hot", "sun"]
    assert table["hot"] == ["shimmered", "in", "the", "sun"]
    assert table["sun"] == ["in", "the", "hot"]
    assert skip_grams(SENTENCE, 3)[:4] == [("The", "wide"), ("The", "road"), ("The", "shimmered"), ("wide", "The")]


def test_short_sentences_and_numbers():
    assert skip_grams([], 2) == []
    assert contexts([], 2) == []
    assert skip_grams(["a"], 2) == []
    assert contexts(["a"], 2) == [("a", [])]
    assert skip_grams([3, 1, 3], 9) == [(3, 1), (3, 3), (1, 3), (1, 3), (3, 3), (3, 1)]


@pytest.mark.parametrize("function", [contexts, skip_grams])
@pytest.mark.parametrize(
    ("tokens", "window", "error", "message"),
    [
        ("the road", 2, TypeError, "tokens: got the string 'the road', wanted a list of words"),
        (["a"], 0, ValueError, "window: got 0, wanted an integer >= 1"),
        (["a"], 1.5, TypeError, "window: got 1.5, wanted an integer"),
        (["a"], True, TypeError, "window: got True"),
    ],
)
def test_bad_input(function, tokens, window, error, message):
    with pytest.raises(error) as raised:
        function(tokens, window)
    assert str(raised.value).startswith(message)

"""Work that takes long shows how far it is, where it is asked to and only there."""

import numpy as np
import pytest

import neurojit as nj
from neurojit import decoding
from neurojit.core.progress import progress_bar


def test_a_bar_is_drawn_where_it_is_wanted(capsys):
    for shown in (0, 1):
        with progress_bar("adding", "numbers", 3, shown=shown) as update:
            update(3)
        drawn = capsys.readouterr().err
        assert bool(drawn) == bool(shown)
    assert "adding: 100%" in drawn
    assert "3.00/3.00" in drawn
    assert "numbers/s" in drawn


def fit_word_vectors(verbose):
    nj.Word2Vec(4, min_count=1, epochs=1, random_state=0, verbose=verbose).fit([["a", "b", "c"]] * 9)


def fit_word_vectors_of_a_file(verbose, folder):
    (folder / "text.txt").write_text("a b c\n" * 9)
    sentences = nj.text.LineSentences(folder / "text.txt")
    nj.Word2Vec(4, min_count=1, epochs=1, random_state=0, verbose=verbose).fit(sentences)


def fit_reservoir(verbose):
    wave = np.sin(0.3 * np.arange(60))[:, None]
    nj.EchoStateRegressor(20, washout=10, random_state=0, verbose=verbose).fit(wave[:-1], wave[1:])


def fit_classifier(verbose):
    series = [np.ones((steps, 1)) for steps in (10, 20, 30)]
    nj.EchoStateClassifier(20, random_state=0, verbose=verbose).fit(series, [0, 1, 0])


def transform(verbose):
    nj.ReservoirTransformer(20, random_state=0, verbose=verbose).fit_transform(np.ones((60, 1)))


def search(verbose):
    table = np.log([[0.1, 0.6, 0.3], [0.3, 0.4, 0.3], [0.05, 0.05, 0.9]])
    decoding.step_beam_search(lambda i, s: (table[i], s), 0, max_length=5, width=2, verbose=verbose)


def search_labels(verbose):
    decoding.ctc_beam_search(np.log([[0.6, 0.4], [0.6, 0.4]]), 2, verbose=verbose)


@pytest.mark.parametrize(
    ("work", "words"),
    [
        (fit_word_vectors, ["vocabulary: 27.0 words"]),
        (fit_word_vectors_of_a_file, ["vocabulary: 27.0 words"]),
        (fit_reservoir, ["harvest: 100%", "49.0/49.0", "steps/s"]),
        (fit_classifier, ["harvest: 100%", "60.0/60.0"]),
        (transform, ["harvest: 100%", "60.0/60.0"]),
        (search, ["beam search: 100%", "5.00/5.00"]),
        (search_labels, ["beam search: 100%", "2.00/2.00"]),
    ],
)
def test_long_work_shows_how_far_it_is(work, words, capsys, tmp_path):
    arguments = [tmp_path] if work is fit_word_vectors_of_a_file else []
    work(0, *arguments)
    assert capsys.readouterr().err == ""
    work(1, *arguments)
    drawn = capsys.readouterr().err
    for word in words:
        assert word in drawn

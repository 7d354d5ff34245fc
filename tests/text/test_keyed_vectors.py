"""What is similar to what: as plain NumPy and gensim say."""

import numpy as np
import pytest

from neurojit.text import KeyedVectors, Vocabulary

WORDS = [f"w{i}" for i in range(40)]


@pytest.fixture
def keyed(rng):
    return KeyedVectors(WORDS, rng.normal(size=(40, 7)).astype(np.float32))


@pytest.fixture
def gensim_keyed(keyed):
    gensim = pytest.importorskip("gensim.models")
    peer = gensim.KeyedVectors(7)
    peer.add_vectors(WORDS, keyed.vectors)
    return peer


def cosine(a, b):
    return a @ b / np.linalg.norm(a) / np.linalg.norm(b)


def close(found, expected, tolerance=1e-5):
    assert [word for word, _ in found] == [word for word, _ in expected]
    np.testing.assert_allclose([s for _, s in found], [s for _, s in expected], rtol=0, atol=tolerance)


def test_words_and_vectors(keyed):
    assert len(keyed) == 40
    assert "w3" in keyed
    assert "x" not in keyed
    assert keyed.vector_size == 7
    np.testing.assert_array_equal(keyed["w3"], keyed.vectors[3])
    np.testing.assert_array_equal(keyed[["w3", "w1"]], keyed.vectors[[3, 1]])
    assert keyed.similarity("w3", "w4") == pytest.approx(cosine(keyed["w3"], keyed["w4"]), abs=1e-6)


def test_most_similar_by_the_definition(keyed):
    units = keyed.vectors / np.linalg.norm(keyed.vectors, axis=1, keepdims=True)
    mean = units[1] + units[2] - units[3]
    scores = {word: cosine(unit, mean) for word, unit in zip(WORDS, units, strict=True)}
    expected = sorted(scores.items(), key=lambda item: -item[1])
    expected = [item for item in expected if item[0] not in ("w1", "w2", "w3")]
    close(keyed.most_similar(["w1", "w2"], ["w3"], topn=5), expected[:5])
    close(keyed.analogy("w3", "w1", "w2", topn=5), expected[:5])
    close(keyed.most_similar(["w1", "w2"], "w3", topn=99), expected)
    restricted = [item for item in expected if int(item[0][1:]) < 12]
    close(keyed.most_similar(["w1", "w2"], ["w3"], restrict_vocab=12), restricted[:10])


def test_as_gensim_says(keyed, gensim_keyed):
    close(keyed.most_similar("w5"), gensim_keyed.most_similar("w5"))
    close(keyed.most_similar(["w1", "w2"], ["w3"]), gensim_keyed.most_similar(["w1", "w2"], ["w3"]))
    close(keyed.most_similar_cosmul(["w1", "w2"], ["w3"]), gensim_keyed.most_similar_cosmul(["w1", "w2"], ["w3"]))
    close(keyed.most_similar_cosmul("w8"), gensim_keyed.most_similar_cosmul(["w8"]))
    vector = np.arange(7, dtype=np.float32)
    close(keyed.closest(vector), gensim_keyed.similar_by_vector(vector))
    assert keyed.doesnt_match(WORDS[:9]) == gensim_keyed.doesnt_match(WORDS[:9])


def test_a_vector_may_stand_for_a_word(keyed):
    assert keyed.closest(keyed["w5"], topn=1)[0][0] == "w5"
    close(keyed.most_similar([keyed["w5"]], topn=4)[1:], keyed.most_similar("w5", topn=3))


def test_a_vector_of_zeros_is_similar_to_nothing():
    keyed = KeyedVectors(["a", "b", "c"], np.array([[0.0, 0], [1, 0], [0, 1]]))
    assert keyed.similarity("a", "b") == 0
    assert keyed.most_similar("b", topn=2)[0][1] == 0


def test_left_out_columns_do_not_count(keyed):
    wide = np.full((40, 16), np.nan, np.float32)
    wide[:, :7] = keyed.vectors
    close(KeyedVectors(WORDS, wide[:, :7]).most_similar("w5"), keyed.most_similar("w5"))


def test_unknown_words(keyed):
    for ask in (
        lambda: keyed["x"],
        lambda: keyed.similarity("w1", "x"),
        lambda: keyed.most_similar("x"),
        lambda: keyed.most_similar(["w1"], ["x"]),
        lambda: keyed.most_similar_cosmul("x"),
        lambda: keyed.analogy("w1", "x", "w2"),
        lambda: keyed.doesnt_match(["w1", "x"]),
        lambda: keyed.project(["w1", "x", "w2"]),
    ):
        with pytest.raises(KeyError, match=r"words: got \['x'\], which are not among the 40 known words"):
            ask()
    assert keyed.most_similar(["w1", "x"], ignore_missing=True) == keyed.most_similar("w1")
    assert keyed.doesnt_match(["w1", "w2", "x"], ignore_missing=True) in ("w1", "w2")


@pytest.mark.parametrize(
    ("ask", "error", "message"),
    [
        (lambda k: k.most_similar(), ValueError, "positive, negative: got no known word"),
        (lambda k: k.most_similar("x", ignore_missing=True), ValueError, "positive, negative: got no known word"),
        (lambda k: k.most_similar("w1", topn=0), ValueError, "topn: got 0"),
        (lambda k: k.closest([1.0, 2.0]), ValueError, r"an array of shape \(2,\), wanted \(7,\)"),
        (lambda k: k.doesnt_match([]), ValueError, r"words: got \[\]"),
        (lambda k: k.project(["w1", "w2"]), ValueError, "words: got 2, wanted at least three"),
        (lambda k: k.project(WORDS, method="umap"), ValueError, "method: got 'umap'"),
        (lambda k: KeyedVectors(["a"], np.zeros((2, 3))), ValueError, r"vectors: got shape \(2, 3\), wanted \(1,"),
        (lambda k: KeyedVectors(["a"], np.zeros(3)), ValueError, r"vectors: got shape \(3,\)"),
        (lambda k: KeyedVectors(["a"], np.zeros((1, 3), int)), TypeError, "vectors: got dtype int64"),
    ],
)
def test_bad_input(keyed, ask, error, message):
    with pytest.raises(error, match=message):
        ask(keyed)


QUESTIONS = """: first
A B C D
a b c E
A B C missing

: second
a c b f
"""


@pytest.fixture
def letters():
    """d = b - a + c, and some others."""
    vectors = np.array([[1.0, 0, 0], [1, 1, 0], [1, 0, 1], [1, 1, 1], [-1, 0.2, 0], [0, -1, 0], [5, 5, 5.1]])
    return KeyedVectors(["a", "b", "c", "d", "e", "f", "D"], vectors)


def test_analogies(letters, tmp_path):
    path = tmp_path / "questions.txt"
    path.write_text(QUESTIONS)
    scores = letters.evaluate_word_analogies(path)
    assert scores.sections == {"first": (1, 2), "second": (0, 1)}
    assert scores.skipped == 1
    assert scores.accuracy == pytest.approx(1 / 3)
    strict = letters.evaluate_word_analogies(path, case_insensitive=False)
    assert strict.sections == {"first": (0, 0), "second": (0, 1)}
    few = letters.evaluate_word_analogies(path, restrict_vocab=3)
    assert few == (0.0, 4, {"first": (0, 0), "second": (0, 0)})


def test_analogies_as_gensim_says(data_folder, rng):
    gensim = pytest.importorskip("gensim.models")
    path = data_folder / "questions-words.txt"
    words = list(dict.fromkeys(w for line in path.read_text().split("\n") if line[:1] != ":" for w in line.split()))
    vectors = rng.normal(size=(len(words), 8)).astype(np.float32)
    peer = gensim.KeyedVectors(8)
    peer.add_vectors(words, vectors)
    expected, sections = peer.evaluate_word_analogies(str(path), restrict_vocab=300)
    scores = KeyedVectors(words, vectors).evaluate_word_analogies(path, restrict_vocab=300)
    assert scores.accuracy == pytest.approx(expected)
    right = {s["section"]: (len(s["correct"]), len(s["correct"]) + len(s["incorrect"])) for s in sections[:-1]}
    assert {name: counts for name, counts in scores.sections.items() if counts[1]} == {
        name: counts for name, counts in right.items() if counts[1]
    }


def test_pairs_as_gensim_says(data_folder, rng):
    gensim = pytest.importorskip("gensim.models")
    path = data_folder / "wordsim353.tsv"
    words = list(dict.fromkeys(w for line in path.read_text().split("\n") if line[:1] != "#" for w in line.split()[:2]))
    words = words[: len(words) - 30]
    vectors = rng.normal(size=(len(words), 8)).astype(np.float32)
    peer = gensim.KeyedVectors(8)
    peer.add_vectors(words, vectors)
    pearson, spearman, oov = peer.evaluate_word_pairs(str(path))
    scores = KeyedVectors(words, vectors).evaluate_word_pairs(path)
    assert scores.pearson == pytest.approx(pearson[0], abs=1e-6)
    assert scores.spearman == pytest.approx(spearman[0], abs=1e-6)
    assert scores.oov_share == pytest.approx(oov / 100)
    assert scores.oov_share > 0.01


def test_pairs(letters, tmp_path):
    path = tmp_path / "pairs.tsv"
    path.write_text("# words\nA\tb\t9\na\tE\t1\na\tc\t8\nb\tnone\t3\n")
    scores = letters.evaluate_word_pairs(path)
    assert scores.pearson > 0.9
    assert scores.oov_share == 0.25


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a b c", "with 'a b c' in line 1, wanted four words or ': section'"),
        (": s\n\na b c d e", "in line 3, wanted four words"),
    ],
)
def test_files_that_are_no_questions(letters, tmp_path, text, message):
    path = tmp_path / "questions.txt"
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        letters.evaluate_word_analogies(path)


def test_files_that_are_no_pairs(letters, tmp_path):
    path = tmp_path / "pairs.tsv"
    for text, message in (
        ("a\tb\n", "wanted word, word and number"),
        ("a\tb\tmuch\n", "wanted word, word and number"),
        ("a\tb\t1\n", "with 1 pairs of known words"),
    ):
        path.write_text(text)
        with pytest.raises(ValueError, match=message):
            letters.evaluate_word_pairs(path)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ValueError, match="is not UTF-8 text"):
        letters.evaluate_word_pairs(path)
    for evaluate in (letters.evaluate_word_pairs, letters.evaluate_word_analogies):
        with pytest.raises(FileNotFoundError, match="path: got"):
            evaluate(tmp_path / "none")


@pytest.mark.parametrize("method", ["pca", "tsne"])
def test_projection_keeps_neighbours(method):
    rng = np.random.default_rng(0)
    centres = np.repeat(4 * rng.normal(size=(3, 9)), 6, axis=0)
    keyed = KeyedVectors(WORDS[:18], (centres + 0.1 * rng.normal(size=(18, 9))).astype(np.float32))
    points = keyed.project(WORDS[:18], method, random_state=0)
    assert points.shape == (18, 2)
    means = points.reshape(3, 6, 2).mean(axis=1)
    nearest = np.linalg.norm(points[:, None] - means, axis=2).argmin(axis=1)
    np.testing.assert_array_equal(nearest, np.repeat([0, 1, 2], 6))


def test_plot(keyed):
    figures = pytest.importorskip("matplotlib.figure")
    ax = figures.Figure().subplots()
    assert keyed.plot(WORDS[:5], ax=ax) is ax
    assert [text.get_text() for text in ax.texts] == WORDS[:5]
    np.testing.assert_allclose([text.xy for text in ax.texts], keyed.project(WORDS[:5]), rtol=1e-6)


def test_a_vocabulary_may_be_given():
    vocabulary = Vocabulary(["a", "b"], [5, 2])
    assert KeyedVectors(vocabulary, np.eye(2)).vocabulary is vocabulary

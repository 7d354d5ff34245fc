"""The estimator of word vectors: what it learns, and what it answers to mistakes."""

import hashlib
import os
import subprocess
import sys

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks

import neurojit as nj
from neurojit.text import LineSentences
from neurojit.training import Callback, TrainingDiverged

OPTIONS = {"vector_size": 12, "window": 3, "min_count": 2, "sample": 0, "epochs": 3, "random_state": 0}


def animals_and_tools(n=600, seed=0):
    """Sentences about animals, and others about tools."""
    rng = np.random.default_rng(seed)
    topics = [["cat", "dog", "horse", "cow", "sheep", "goat"], ["saw", "hammer", "drill", "wrench", "plane", "file"]]
    return [list(rng.choice(topics[i % 2], 7)) for i in range(n)]


@pytest.fixture(scope="module")
def model():
    return nj.Word2Vec(**OPTIONS).fit(animals_and_tools())


@parametrize_with_checks([nj.Word2Vec(vector_size=4, min_count=1, epochs=1)])
def test_scikit_learn(estimator, check):
    check(estimator)


def test_learns_what_goes_together(model):
    assert len(model.vocabulary_) == 12
    assert model.vectors_.shape == (12, 12)
    assert model.vectors_.dtype == np.float32
    near = {word for word, _ in model.keyed_vectors_.most_similar("cat", topn=5)}
    assert near == {"dog", "horse", "cow", "sheep", "goat"}
    assert model.keyed_vectors_.doesnt_match(["cat", "dog", "saw", "goat"]) == "saw"
    assert len(model.loss_curve_) == 3
    assert model.loss_curve_[2] < model.loss_curve_[0] < 6 * np.log(2) + 0.01
    assert list(model.history_["loss"]) == model.loss_curve_


@pytest.mark.parametrize("objective", ["negative-sampling", "softmax", "hierarchical-softmax"])
@pytest.mark.parametrize("architecture", ["skip-gram", "cbow"])
def test_every_objective_learns_it(objective, architecture):
    model = nj.Word2Vec(**OPTIONS | {"epochs": 8}, objective=objective, architecture=architecture)
    model.fit(animals_and_tools())
    for word, other in (("cat", "cow"), ("saw", "file")):
        near = {word for word, _ in model.keyed_vectors_.most_similar(word, topn=5)}
        assert other in near
    assert model.loss_curve_[-1] < model.loss_curve_[0]


def test_loss_before_anything_is_learnt_is_that_of_guessing():
    sentences = animals_and_tools(20)
    loss = nj.Word2Vec(**OPTIONS | {"learning_rate": 1e-9, "min_learning_rate": 0}).fit(sentences).loss_curve_[0]
    assert 4 * np.log(2) < loss < 6 * np.log(2) + 1e-6, "one positive, up to five negatives"
    softmax = nj.Word2Vec(**OPTIONS | {"learning_rate": 1e-9, "min_learning_rate": 0}, objective="softmax")
    assert softmax.fit(sentences).loss_curve_[0] == pytest.approx(np.log(12), rel=1e-6)


def test_lists_strings_and_files_are_alike(tmp_path, model):
    sentences = animals_and_tools()
    path = tmp_path / "text.txt"
    path.write_text("\n".join(" ".join(sentence) for sentence in sentences))
    for text in ([" ".join(sentence) for sentence in sentences], LineSentences(path), tuple(map(np.array, sentences))):
        same = clone(model).fit(text)
        assert same.vocabulary_.words == model.vocabulary_.words
        np.testing.assert_array_equal(same.vectors_, model.vectors_)


def test_a_file_may_be_larger_than_memory_for_it(tmp_path, monkeypatch):
    """Sentences are asked for again in each epoch, one after another."""
    passes = []

    class Stream:
        def __iter__(self):
            passes.append(0)
            for sentence in animals_and_tools(50):
                passes[-1] += 1
                yield sentence

    nj.Word2Vec(**OPTIONS).fit(Stream())
    assert passes == [50] * 4, "once to count, and in three epochs"


def digest(model):
    return hashlib.sha256(np.ascontiguousarray(model.vectors_).tobytes()).hexdigest()


SCRIPT = """
from tests.estimators.test_word2vec import digest, zipf_model
print(digest(zipf_model(n_threads=1)))
"""


def zipf_model(n_threads):
    """Vectors of a text of several rounds of shards."""
    rng = np.random.default_rng(0)
    words = np.array([f"w{i}" for i in range(500)])
    text = [list(words[np.minimum(rng.zipf(1.3, 30) - 1, 499)]) for _ in range(1000)]
    return nj.Word2Vec(vector_size=20, epochs=2, min_count=1, random_state=5, n_threads=n_threads).fit(text)


def test_same_bits_in_two_processes_for_any_number_of_threads(n_threads):
    model = zipf_model(n_threads)
    command = [sys.executable, "-c", SCRIPT]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([".", *sys.path])}
    other = subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout.strip()
    assert digest(model) == other


def test_seeds_differ(model):
    assert digest(clone(model).set_params(random_state=1).fit(animals_and_tools())) != digest(model)
    assert digest(clone(model).fit(animals_and_tools())) == digest(model)


def test_transform(model):
    found = model.transform(["cat", "dog zebra", ["saw", "cat", "zebra"], ["zebra"], "zebra lion"])
    v = model.keyed_vectors_
    expected = [v["cat"], v["dog"], (v["saw"] + v["cat"]) / 2, np.zeros(12), np.zeros(12)]
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    assert found.dtype == np.float32
    assert model.transform([]).shape == (0, 12)
    with pytest.raises(KeyError, match=r"X: got the unknown words \['zebra', 'lion'\]"):
        model.transform(["zebra", "cat", "lion"])
    assert not model.transform(["zebra"], ignore_missing=True).any()
    assert list(model.get_feature_names_out())[:2] == ["word2vec0", "word2vec1"]


def test_in_a_pipeline():
    sentences = animals_and_tools()
    y = np.arange(len(sentences)) % 2
    pipeline = make_pipeline(nj.Word2Vec(**OPTIONS), LogisticRegression()).fit(sentences, y)
    assert pipeline.score(animals_and_tools(seed=1), y) > 0.99


def test_partial_fit_goes_on(model):
    part = nj.Word2Vec(**OPTIONS)
    for _ in range(3):
        part.partial_fit(animals_and_tools())
    assert len(part.loss_curve_) == 3
    assert part.loss_curve_[2] < part.loss_curve_[0]
    before = part.vectors_.copy()
    part.partial_fit(iter([["cat", "zebra", "dog"], ["zebra", "dog"]]))
    assert len(part.vocabulary_) == 12
    assert not np.array_equal(part.vectors_, before)


def test_partial_fit_may_learn_new_words(model):
    part = nj.Word2Vec(**OPTIONS).fit(animals_and_tools())
    counts = dict(zip(part.vocabulary_.words, part.vocabulary_.counts.tolist(), strict=True))
    text = [["zebra", "cat", "zebra", "dog", "lion"]] * 200 + [["once"]]
    for _ in range(3):
        part.partial_fit(text, update_vocabulary=True)
    assert part.vocabulary_.words[:12] == list(counts)
    assert set(part.vocabulary_.words[12:]) == {"zebra", "lion"}
    assert part.vocabulary_.counts[part.vocabulary_.index["cat"]] == counts["cat"] + 600
    assert part.vectors_.shape == (14, 12)
    assert part.keyed_vectors_.similarity("zebra", "cat") > part.keyed_vectors_.similarity("zebra", "saw")


def test_only_the_most_frequent_words():
    model = nj.Word2Vec(**OPTIONS | {"min_count": 1}, max_vocab=3).fit(["a b b c c c d d d d"] * 3)
    assert model.vocabulary_.words == ["d", "c", "b"]


def test_saved_and_loaded(model, tmp_path):
    path = tmp_path / "words.safetensors"
    model.save(path)
    same = nj.load(path)
    assert same.get_params() == model.get_params()
    assert same.vocabulary_.words == model.vocabulary_.words
    assert same.loss_curve_ == model.loss_curve_
    np.testing.assert_array_equal(same.vectors_, model.vectors_)
    again = clone(model).fit(animals_and_tools())
    np.testing.assert_array_equal(
        same.partial_fit(animals_and_tools()).vectors_, again.partial_fit(animals_and_tools()).vectors_
    )


def test_callbacks_watch_and_stop(capsys):
    seen = []

    class Watch(Callback):
        def on_batch_end(self, trainer, batch, loss):
            seen.append((len(batch), loss, trainer.learning_rate))

        def on_epoch_end(self, trainer, record):
            seen.append(record)
            if trainer.epoch == 2:
                trainer.stop("enough")

        def on_fit_end(self, trainer):
            seen.append(trainer.max_epochs)

    model = nj.Word2Vec(**OPTIONS, callbacks=[Watch()], verbose=1).fit(animals_and_tools())
    assert len(model.loss_curve_) == 2
    assert model.history_.stopped == "enough"
    assert seen[0][0] == 600 * 7
    assert seen[1]["loss"] == pytest.approx(seen[0][1])
    assert seen[-1] == 3
    error = capsys.readouterr().err
    assert "epoch 2/3" in error
    assert "words/s" in error
    assert "loss" in error


def test_diverged():
    with pytest.raises(TrainingDiverged, match="training diverged in epoch 1: got loss"):
        nj.Word2Vec(**OPTIONS | {"learning_rate": 1e30}).fit(animals_and_tools())


SENTENCES = [["a", "b"], ["a", "b"]]


@pytest.mark.parametrize(
    ("options", "sentences", "error", "message"),
    [
        ({}, "the road", TypeError, r"sentences: got a single string 'the road'.*\[text.split\(\)\].*LineSentences"),
        ({}, [], ValueError, "sentences: got no words"),
        ({}, [[], ""], ValueError, "sentences: got no words"),
        (
            {"min_count": 3},
            SENTENCES,
            ValueError,
            "min_count: got 3, wanted at most 2",
        ),
        ({}, iter(SENTENCES), TypeError, "sentences: got a list_iterator that can be read once, wanted.* 4 times"),
        ({}, (s for s in SENTENCES), TypeError, "sentences: got a generator"),
        ({}, 5, TypeError, "sentences: got int"),
        ({}, [["a", None]], TypeError, r"sentences\[0\]: got the word None"),
        ({"vector_size": 0}, SENTENCES, ValueError, "vector_size: got 0, wanted an integer >= 1"),
        ({"window": 2.5}, SENTENCES, TypeError, "window: got 2.5"),
        ({"architecture": "bag"}, SENTENCES, ValueError, "architecture: got 'bag', wanted 'skip-gram' or 'cbow'"),
        ({"objective": "ns"}, SENTENCES, ValueError, "objective: got 'ns'"),
        ({"negative": 0}, SENTENCES, ValueError, "negative: got 0"),
        ({"ns_exponent": float("nan")}, SENTENCES, ValueError, "ns_exponent: got nan"),
        ({"sample": -1}, SENTENCES, ValueError, "sample: got -1"),
        ({"learning_rate": 0}, SENTENCES, ValueError, "learning_rate: got 0"),
        ({"min_learning_rate": 0.5}, SENTENCES, ValueError, "min_learning_rate: got 0.5, wanted at most"),
        ({"shrink_windows": 1}, SENTENCES, TypeError, "shrink_windows: got 1"),
        ({"update": "locked"}, SENTENCES, ValueError, "update: got 'locked'"),
        ({"max_vocab": 0}, SENTENCES, ValueError, "max_vocab: got 0"),
        ({"n_threads": 0}, SENTENCES, ValueError, "n_threads: got 0"),
        ({"random_state": -1}, SENTENCES, ValueError, "random_state: got -1"),
        ({"callbacks": 3}, SENTENCES, TypeError, "callbacks: got 3"),
    ],
)
def test_bad_input(options, sentences, error, message):
    model = nj.Word2Vec(**OPTIONS | options)
    with pytest.raises(error, match=message):
        model.fit(sentences)
    assert not hasattr(model, "vectors_")


def test_bad_partial_fit(model):
    tree = nj.Word2Vec(**OPTIONS, objective="hierarchical-softmax").fit(animals_and_tools(20))
    with pytest.raises(ValueError, match="update_vocabulary: got True, wanted False with hierarchical softmax"):
        tree.partial_fit([["a", "b"]], update_vocabulary=True)
    with pytest.raises(TypeError, match="can be read once"):
        nj.Word2Vec(**OPTIONS).partial_fit(iter(SENTENCES))


def test_not_fitted():
    for use in (lambda m: m.transform(["a"]), lambda m: m.keyed_vectors_, lambda m: m.save("x")):
        with pytest.raises(NotFittedError):
            use(nj.Word2Vec())


# Each word, and others of which one or more should be among the forty most similar.
NEIGHBOURS = {
    "one": {"two", "three", "four", "five", "six", "seven", "eight", "nine", "zero"},
    "king": {"prince", "queen", "emperor", "son", "throne", "iii", "iv", "ii"},
    "war": {"battle", "military", "army", "troops", "forces", "civil", "revolution"},
    "german": {"germany", "french", "austrian", "italian", "dutch", "swedish"},
    "church": {"catholic", "orthodox", "christian", "churches", "pope", "anglican"},
    "language": {"languages", "english", "dialects", "spoken", "speakers", "linguistic"},
    "water": {"sea", "ocean", "air", "surface", "liquid", "rain", "fresh", "dry", "flow", "gas"},
    "city": {"town", "capital", "cities", "located", "downtown", "district"},
    "music": {"jazz", "musical", "songs", "rock", "musicians", "classical"},
    "computer": {"software", "computers", "hardware", "computing", "programming", "digital"},
}


@pytest.mark.slow
def test_ten_common_words_of_wikipedia(data_folder):
    model = nj.Word2Vec(vector_size=64, epochs=6, random_state=0).fit(
        LineSentences(data_folder / "text8_prefix.txt.gz", max_words=1000)
    )
    for word, expected in NEIGHBOURS.items():
        found = {other for other, _ in model.keyed_vectors_.most_similar(word, topn=40)}
        assert len(found & expected) >= 2, f"{word}: {sorted(found)}"

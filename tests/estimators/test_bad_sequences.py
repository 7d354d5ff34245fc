"""Each wrong argument of an estimator of sequences or texts meets an error that names it, before training starts."""

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError

import neurojit as nj
from neurojit import training
from neurojit.layers import LSTM, Dense, Sequential

rng = np.random.default_rng(0)
X = [rng.normal(size=(n, 2)) for n in (3, 5, 4, 6)]
Y = [0, 1, 0, 1]
STEPS = [np.arange(len(x)) % 2 for x in X]
_STEPWISE = LSTM(2, return_sequences=True)
LABELS = [[0], [1, 0], [], [0, 1]]


class _Started(training.Callback):
    def on_fit_start(self, trainer):
        raise AssertionError("training started")


def _with(i, value):
    return [*X[:i], value, *X[i + 1 :]]


def _nan(i, row):
    x = X[i].copy()
    x[row, 1] = np.nan
    return _with(i, x)


RC, RR, SL, CTC, LM = (
    nj.RecurrentClassifier,
    nj.RecurrentRegressor,
    nj.SequenceLabeler,
    nj.CTCLabeler,
    nj.LanguageModel,
)

# What is wrong: (estimator, options, arguments of fit, error, words of the message)
FITS = {
    "a sequence of no steps": (RC, {}, (_with(1, np.zeros((0, 2))), Y), ValueError, ["X[1]", "(0, 2)"]),
    "no steps in an array": (RC, {}, (np.zeros((4, 0, 2)), Y), ValueError, ["X", "(4, 0, 2)", "at least one value"]),
    "other features": (RC, {}, (_with(2, np.zeros((4, 3))), Y), ValueError, ["X", "3 features", "sequence 2", "2"]),
    "no features": (RC, {}, ([np.zeros((3, 0))] * 4, Y), ValueError, ["X[0]", "(3, 0)"]),
    "NaN": (RC, {}, (_nan(3, 4), Y), ValueError, ["X[3]", "NaN", "row 4"]),
    "NaN in an array": (RC, {}, (np.full((4, 3, 2), np.nan), Y), ValueError, ["X", "NaN"]),
    "inf": (RR, {}, (_with(0, np.full((3, 2), np.inf)), Y), ValueError, ["X[0]", "inf", "row 0"]),
    "words": (RC, {}, (_with(0, np.full((3, 2), "a")), Y), ValueError, ["X[0]", "a"]),
    "a number among sequences": (RC, {}, (_with(0, 3.0), Y), ValueError, ["X[0]"]),
    "three axes": (RC, {}, (_with(0, np.zeros((3, 2, 2))), Y), ValueError, ["X[0]", "dim 3"]),
    "no sequences": (RC, {}, ([], []), ValueError, ["X"]),
    "one axis": (RC, {}, (np.zeros(4), Y), ValueError, ["X", "1D array"]),
    "y missing": (RC, {}, (X, None), ValueError, ["y", "None"]),
    "y too short": (RC, {}, (X, Y[1:]), ValueError, ["y", "3", "4"]),
    "one class": (RC, {}, (X, [1, 1, 1, 1]), ValueError, ["y", "one class"]),
    "NaN in y": (RR, {}, (X, [0, np.nan, 1, 2]), ValueError, ["y", "NaN"]),
    "weights too few": (RC, {}, (X, Y, [1.0]), ValueError, ["sample_weight", "1", "4"]),
    "unknown cell": (RC, {"cell": "lstn"}, (X, Y), ValueError, ["cell", "'lstn'", "'gru'"]),
    "cell a class": (RC, {"cell": LSTM}, (X, Y), TypeError, ["cell", "'lstm'"]),
    "no units": (RC, {"units": 0}, (X, Y), ValueError, ["units", "0", ">= 1"]),
    "no layers": (RC, {"n_layers": 0}, (X, Y), ValueError, ["n_layers", "0", ">= 1"]),
    "two ways as a word": (RC, {"bidirectional": "yes"}, (X, Y), TypeError, ["bidirectional", "'yes'", "True"]),
    "peephole of a GRU": (RC, {"cell": "gru", "peephole": True}, (X, Y), ValueError, ["peephole", "'gru'", "LSTM"]),
    "coupled RNN": (SL, {"cell": "rnn", "coupled": True}, (X, STEPS), ValueError, ["coupled", "'rnn'", "LSTM"]),
    "all dropped": (RC, {"dropout": 1.0}, (X, Y), ValueError, ["dropout", "1.0", "below 1"]),
    "standardize a number": (RC, {"standardize": 2}, (X, Y), TypeError, ["standardize", "2", "True"]),
    "clip norm 0": (RC, {"clip_norm": 0.0}, (X, Y), ValueError, ["clip_norm", "0.0", "> 0"]),
    "clip norm a word": (RC, {"clip_norm": "no"}, (X, Y), TypeError, ["clip_norm", "'no'", "> 0"]),
    "unknown optimizer": (RC, {"optimizer": "adamm"}, (X, Y), ValueError, ["optimizer", "'adamm'"]),
    "network gives steps": (RC, {"network": _STEPWISE}, (X, Y), ValueError, ["network", "(6, 2)", "(2,)"]),
    "network gives no steps": (SL, {"network": LSTM(2)}, (X, STEPS), ValueError, ["network", "(2,)", "(6, 2)"]),
    "network without a blank": (CTC, {"network": _STEPWISE}, (X, LABELS), ValueError, ["network", "(6, 2)", "(6, 3)"]),
    "no labels": (SL, {}, (X, None), ValueError, ["y", "None"]),
    "too few label sequences": (SL, {}, (X, STEPS[1:]), ValueError, ["y", "3 label sequences", "4"]),
    "a label for a sequence": (SL, {}, (X, Y), ValueError, ["y[0]", "()", "sequence of labels"]),
    "labels too few": (SL, {}, (X, [*STEPS[:3], [0, 1]]), ValueError, ["y[3]", "2 labels", "6"]),
    "one label": (SL, {}, (X, [s * 0 for s in STEPS]), ValueError, ["y", "one class"]),
    "half labels": (SL, {}, (X, [s + 0.5 for s in STEPS]), ValueError, ["y", "continuous"]),
    "unknown decoding": (CTC, {"decoding": "best"}, (X, LABELS), ValueError, ["decoding", "'best'", "'beam'"]),
    "no beam": (CTC, {"beam_width": 0}, (X, LABELS), ValueError, ["beam_width", "0", ">= 1"]),
    "more labels than steps": (CTC, {}, (X, [[0, 1, 0, 1], *LABELS[1:]]), ValueError, ["y[0]", "4 labels", "3 steps"]),
    "equal labels": (CTC, {}, (X, [[0, 0], [1, 1, 1, 1], [], [0]]), ValueError, ["y[1]", "3 of them", "5 steps"]),
    "no labels at all": (CTC, {}, (X, [[], [], [], []]), ValueError, ["y", "no labels"]),
    "text missing": (LM, {}, (None,), TypeError, ["text", "NoneType", "string"]),
    "text a list": (LM, {}, (["to", "be"],), TypeError, ["text", "list", "string"]),
    "empty text": (LM, {}, ("",), ValueError, ["text", "''", "two"]),
    "white text": (LM, {"level": "word"}, (" \t ",), ValueError, ["text", "empty", "two"]),
    "one character": (LM, {}, ("a",), ValueError, ["text", "1 symbol", "two"]),
    "one word": (LM, {"level": "word"}, ("word ",), ValueError, ["text", "1 symbol", "two"]),
    "unknown level": (LM, {"level": "byte"}, ("to be",), ValueError, ["level", "'byte'", "'char'"]),
    "no steps of a text": (LM, {"sequence_length": 0}, ("to be",), ValueError, ["sequence_length", "0", ">= 1"]),
    "no vocabulary": (LM, {"max_vocab": 0}, ("to be",), ValueError, ["max_vocab", "0", ">= 1"]),
    "rarest words": (LM, {"min_count": 0}, ("to be",), ValueError, ["min_count", "0", ">= 1"]),
    "embedding size": (LM, {"embedding_size": "big"}, ("to be",), ValueError, ["embedding_size", "'big'", "'auto'"]),
    "nothing held out": (LM, {"early_stopping": True}, ("to be",), ValueError, ["validation_fraction", "0.1", "two"]),
    "other symbols": (LM, {"network": Sequential(Dense(3))}, ("to be",), ValueError, ["network"]),
}  # fmt: skip


@pytest.mark.parametrize("case", FITS)
def test_fit_refuses(case):
    estimator, options, arguments, error, words = FITS[case]
    model = estimator(**({"callbacks": [_Started()], "max_epochs": 1} | options))
    with pytest.raises(error) as caught:
        model.fit(*arguments)
    for word in words:
        assert word in str(caught.value), f"{word!r} is not in {caught.value}"
    assert not hasattr(model, "history_")


@pytest.fixture(scope="module")
def classifier():
    return RC(units=2, max_epochs=1).fit(X, Y)


PREDICTIONS = {
    "other features": ([np.zeros((3, 3))], ["X", "(3,)", "(2,)"]),
    "a matrix": (np.zeros((4, 6)), ["X", "(1,)", "(2,)"]),
    "no steps": ([np.zeros((2, 2)), np.zeros((0, 2))], ["X[1]", "(0, 2)"]),
    "NaN": (_nan(2, 1), ["X[2]", "NaN", "row 1"]),
    "nothing": (np.zeros((0, 3, 2)), ["X", "0 sample"]),
}


@pytest.mark.parametrize("case", PREDICTIONS)
def test_predict_refuses(classifier, case):
    x, words = PREDICTIONS[case]
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the words say which
        classifier.predict(x)
    for word in words:
        assert word in str(caught.value), f"{word!r} is not in {caught.value}"


def test_rows_of_a_matrix_keep_their_length():
    model = RC(units=2, max_epochs=1).fit(np.zeros((4, 6)), Y)
    with pytest.raises(ValueError, match="X has 5 features, but RecurrentClassifier is expecting 6"):
        model.predict(np.zeros((4, 5)))


def test_labels_that_fit_did_not_see():
    model = SL(units=2, max_epochs=1, warm_start=True).fit(X, STEPS)
    with pytest.raises(ValueError, match=r"y: got labels \[2\]"):
        model.fit(X, [s + 1 for s in STEPS])


@pytest.fixture(scope="module")
def text_model():
    return LM(units=4, n_layers=1, max_epochs=1).fit("to be or not to be" * 5)


QUESTIONS = {
    "unknown prime": (lambda m: m.sample(3, prime="to bé"), ValueError, ["prime", "'é'"]),
    "prime a list": (lambda m: m.sample(3, prime=["to"]), TypeError, ["prime", "list", "string"]),
    "no length": (lambda m: m.sample(0), ValueError, ["length", "0", ">= 1"]),
    "half a length": (lambda m: m.sample(1.5), TypeError, ["length", "1.5", "integer"]),
    "cold": (lambda m: m.sample(3, temperature=-1.0), ValueError, ["temperature", "-1.0", ">= 0"]),
    "boiling": (lambda m: m.sample(3, temperature=np.inf), ValueError, ["temperature", "inf", ">= 0"]),
    "seed": (lambda m: m.sample(3, random_state="x"), TypeError, ["random_state", "str"]),
    "no beam": (lambda m: m.beam_search("to", 3, width=0), ValueError, ["width", "0", ">= 1"]),
    "no length of a beam": (lambda m: m.beam_search("to", 0), ValueError, ["length", "0", ">= 1"]),
    "beam from nothing": (lambda m: m.beam_search("", 3), ValueError, ["prime", "empty", "one symbol"]),
    "unknown in a beam": (lambda m: m.beam_search("x", 3), ValueError, ["prime", "'x'"]),
    "unknown in a stream": (lambda m: m.stream().feed("x"), ValueError, ["text", "'x'"]),
    "unknown in a text": (lambda m: m.score("tox"), ValueError, ["text", "'x'"]),
    "empty text": (lambda m: m.score(""), ValueError, ["text", "''"]),
    "short text": (lambda m: m.perplexity("t"), ValueError, ["text", "1 symbol", "two"]),
    "text a number": (lambda m: m.score(3), TypeError, ["text", "int", "string"]),
    "unknown in partial_fit": (lambda m: m.partial_fit("xxx"), ValueError, ["text", "'x'"]),
    "another network's state": (
        lambda m: m.stream().load_state({"carry": {"9": {}}, "log_probabilities": np.zeros(7)}),
        ValueError, ["state", "'9'"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", QUESTIONS)
def test_language_model_refuses(text_model, case):
    ask, error, words = QUESTIONS[case]
    with pytest.raises(error) as caught:
        ask(text_model)
    for word in words:
        assert word in str(caught.value), f"{word!r} is not in {caught.value}"


def test_before_fit(tmp_path):
    for estimator in (RC, RR, SL, CTC):
        with pytest.raises(NotFittedError, match=estimator.__name__):
            estimator().predict(X)
        with pytest.raises(NotFittedError, match=estimator.__name__):
            estimator().save(tmp_path / "model.safetensors")
    for ask in (lambda m: m.sample(3), lambda m: m.score("to be"), lambda m: m.stream(), lambda m: m.save("x")):
        with pytest.raises(NotFittedError, match="LanguageModel"):
            ask(LM())

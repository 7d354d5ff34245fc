"""What a language model learns, how it is asked, and that a stream goes on where it was."""

import math

import numpy as np
import pytest

import neurojit as nj
from neurojit import training
from neurojit.core.device import thread_count
from neurojit.core.statefile import read_state, write_state
from neurojit.layers import GRU, Dense, Embedding, Sequential
from neurojit.text.symbols import TextSymbols

TEXT = "the cat sat on the mat.\n" * 60
OPTIONS = {"units": 24, "n_layers": 1, "max_epochs": 6, "learning_rate": 0.02, "sequence_length": 16, "random_state": 0}


def make(**options):
    return nj.LanguageModel(**(OPTIONS | options))


@pytest.fixture(scope="module")
def model():
    return make().fit(TEXT)


@pytest.fixture(scope="module")
def words():
    return make(level="word", min_count=2).fit(TEXT + "a dog barks\n")


def weights(model):
    return np.concatenate([array.ravel() for array in model.network_.state().values()])


# -- learning ---------------------------------------------------------------------------------------------------------


def test_it_learns_a_text_by_heart(model):
    assert model.score(TEXT) < 0.3
    assert model.sample(20, prime="the ", temperature=0) == "cat sat on the mat.\n"
    assert "".join(model.vocabulary_) == "".join(sorted(set(TEXT)))
    assert model.n_iter_ == len(model.loss_curve_) == 6


def test_words_and_ends_of_lines(words):
    assert words.vocabulary_.words == ["the", "cat", "sat", "on", "mat.", "\n", "<unk>"] or "<unk>" in words.vocabulary_
    assert words.vocabulary_.words[-1] == "<unk>"
    assert "dog" not in words.vocabulary_
    assert words.sample(6, prime="the cat", temperature=0) == "sat on the mat.\nthe"
    assert words.perplexity("the dog sat") > words.perplexity("the cat sat")


@pytest.mark.parametrize("level", ["char", "word"])
def test_symbols_of_a_text_come_back(level):
    text = "to be or not\nto be:  that\nis  " if level == "char" else "to be or not\nto be: that\nis"
    symbols = TextSymbols.from_text(text, level)
    assert symbols.decode(symbols.encode(text)) == text


def test_the_score_is_the_mean_of_the_bits(model):
    text = TEXT[:50] + "tac eht"
    numbers, stream, bits = model._symbols.encode(text), model.stream(text[0]), []
    for character, number in zip(text[1:], numbers[1:], strict=True):
        bits.append(-stream.log_probabilities[number] / math.log(2))
        stream.feed(character)
    assert model.score(text) == pytest.approx(np.mean(bits), rel=1e-5)
    assert model.perplexity(text) == pytest.approx(2 ** np.mean(bits), rel=1e-5)


def test_a_long_text_is_scored_in_parts(model, monkeypatch):
    whole = model.score(TEXT)
    monkeypatch.setattr("neurojit.estimators.text_model._SCORED", 100)
    assert model.score(TEXT) == pytest.approx(whole, rel=1e-5)


def test_states_are_carried_from_batch_to_batch_in_training():
    """What comes is known only from a symbol that came many batches before."""
    rng = np.random.default_rng(0)
    text = "".join(start + "." * 11 + start for start in rng.choice(list("ab"), 400))
    model = make(sequence_length=4, batch_size=4, units=16, max_epochs=1)
    carried = []

    class Watch(training.Callback):
        def on_batch_end(self, trainer, batch, loss):
            carried.append(trainer._carry)

    model.set_params(callbacks=[Watch()]).fit(text)
    assert all(carry is carried[0] for carry in carried)
    assert [parts[0].shape for parts in carried[0].values()] == [(4, 16)]


def test_early_stopping_holds_out_the_end():
    seen = []

    class Watch(training.Callback):
        def on_batch_end(self, trainer, batch, loss):
            seen.append(batch.x)

    model = make(early_stopping=True, validation_fraction=0.25, batch_size=1, max_epochs=2, callbacks=[Watch()])
    text = "ab" * 300 + "ba" * 100
    model.fit(text)
    assert "validation_loss" in model.history_
    np.testing.assert_array_equal(np.concatenate(seen[: len(seen) // 2], axis=1)[0], model._symbols.encode(text)[:599])


def test_going_on():
    model = make(warm_start=True, max_epochs=1).fit(TEXT)
    first = weights(model)
    model.fit(TEXT[:500])
    assert model.n_iter_ == 2
    assert not np.array_equal(first, weights(model))
    model.partial_fit(TEXT[:300])
    assert model.n_iter_ == 3
    parts = make().partial_fit(TEXT).partial_fit(TEXT)
    assert parts.n_iter_ == 2


@pytest.mark.parametrize(
    "options", [{"cell": "gru"}, {"cell": "rnn"}, {"n_layers": 2, "dropout": 0.1}, {"peephole": True, "coupled": True}]
)
def test_networks_of_every_kind(options):
    model = make(max_epochs=2, **options).fit(TEXT)
    assert model.loss_curve_[1] < model.loss_curve_[0]
    assert len(model.sample(5, random_state=0)) == 5


def test_network_of_ones_own():
    def network(input_shape, n_symbols):
        assert input_shape == (16,)
        return Sequential(Embedding(n_symbols, 5), GRU(7, return_sequences=True), Dense(n_symbols))

    model = make(network=network, max_epochs=1).fit(TEXT)
    assert isinstance(model.network_[1], GRU)
    assert len(model.sample(5)) == 5


# -- writing ----------------------------------------------------------------------------------------------------------


def test_samples_are_drawn_by_their_probabilities(model):
    first = "".join(model.sample(1, random_state=seed) for seed in range(400))
    for character, count in zip(model.vocabulary_, model.vocabulary_.counts, strict=True):
        wanted = count / len(TEXT)
        assert abs(first.count(character) / 400 - wanted) < 4 * math.sqrt(wanted * (1 - wanted) / 400)
    assert model.sample(50, random_state=1) == model.sample(50, random_state=1) != model.sample(50, random_state=2)


def test_no_step_is_taken_that_nobody_sees(model, monkeypatch):
    """The prime, then every symbol but the last, on the threads that were asked for."""
    forward, seen = model.network_.forward, []

    def watched(x, mode):
        seen.append((x.shape[1], thread_count()))
        return forward(x, mode)

    monkeypatch.setattr(model.network_, "forward", watched)
    monkeypatch.setattr(model, "n_threads", 1)
    model.sample(3, prime="the ")
    assert seen == [(4, 1), (1, 1), (1, 1)]


def test_temperature(model):
    def surprise(temperature):
        texts = [model.sample(40, prime="the ", temperature=temperature, random_state=seed) for seed in range(5)]
        return np.mean([model.score("the " + text) for text in texts])

    assert surprise(0) < surprise(1.0) < surprise(3.0)


def test_beam_search_finds_what_greed_misses(model):
    found = model.beam_search("the ", 12, width=4)
    greedy = model.sample(12, prime="the ", temperature=0)
    assert len(found) == 12
    assert model.score("the " + found) <= model.score("the " + greedy) + 1e-6
    assert model.beam_search("the ", 12, width=1) == greedy


def test_beam_search_is_exhaustive_when_wide():
    model = make(units=4, max_epochs=1).fit("abcab" * 40)
    stream, best = model.stream("a"), {}
    for one in "abc":
        for two in "abc":
            after = stream.copy().feed(one)
            best[one + two] = stream.log_probabilities["abc".index(one)] + after.log_probabilities["abc".index(two)]
    assert model.beam_search("a", 2, width=9) == max(best, key=best.get)


def test_a_stream_is_the_text_so_far(model):
    whole, parts = model.stream("the cat"), model.stream().feed("the").feed("").feed(" cat")
    np.testing.assert_allclose(whole.log_probabilities, parts.log_probabilities, rtol=1e-4, atol=1e-5)
    other = parts.copy().feed(" sat")
    np.testing.assert_allclose(parts.log_probabilities, whole.log_probabilities, rtol=1e-4, atol=1e-5)
    assert not np.allclose(other.log_probabilities, parts.log_probabilities)
    np.testing.assert_allclose(np.exp(other.log_probabilities).sum(), 1, rtol=1e-5)


def test_a_stream_goes_on_after_saving(tmp_path):
    model = make(n_layers=2, max_epochs=1).fit(TEXT)
    model.save(tmp_path / "model.safetensors")
    stream = model.stream("the cat s")
    write_state(tmp_path / "stream.safetensors", stream.state(), "stream")
    same = nj.load(tmp_path / "model.safetensors")
    assert same.vocabulary_.words == model.vocabulary_.words
    assert same.get_params() == model.get_params()
    assert same.score(TEXT) == model.score(TEXT)
    assert same.sample(20, random_state=0) == model.sample(20, random_state=0)
    again = same.stream().load_state(read_state(tmp_path / "stream.safetensors", "stream"))
    np.testing.assert_array_equal(again.log_probabilities, stream.log_probabilities)
    np.testing.assert_array_equal(again.feed("at").log_probabilities, stream.feed("at").log_probabilities)
    same.partial_fit(TEXT)
    assert same.n_iter_ == 2


# -- bits -------------------------------------------------------------------------------------------------------------


def test_random_state_settles_every_bit_on_any_number_of_threads(same_bits):
    same_bits(lambda: weights(make(n_layers=2, dropout=0.1, max_epochs=1).fit(TEXT)))
    assert not np.array_equal(
        weights(make(max_epochs=1).fit(TEXT)), weights(make(max_epochs=1, random_state=1).fit(TEXT))
    )


def test_words_are_saved(words, tmp_path):
    words.save(tmp_path / "model.safetensors")
    same = nj.load(tmp_path / "model.safetensors")
    assert same.vocabulary_.unknown == "<unk>"
    assert same.perplexity("the cat\nbarked") == words.perplexity("the cat\nbarked")

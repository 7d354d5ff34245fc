"""Word vectors, kernel by kernel: gradients by central differences, draws by their distributions."""

import numpy as np
import pytest
from scipy import stats

from neurojit.core.jit import kernel
from neurojit.core.simd import address, keep, lanes
from neurojit.core.simd_logistic import logistic_slopes
from neurojit.core.simd_pairs import TARGETS, blend_row, pair_dots, pair_updates
from neurojit.kernels.cpu import word2vec as kernels
from neurojit.kernels.cpu import word2vec_draws as draws
from neurojit.kernels.cpu.word2vec_shards import merged_share

KEY = np.uint64(7)
N_WORDS, SIZE = 9, 11
SENTENCE = np.array([3, -1, 1, 0, 4, 2, -1, 5], np.int32)  # the windows lie within 1 0 4 2


def objectives():
    """Of each objective: flags, and the target rows of the window round word 4, or of each of its pairs."""
    return {
        "skip-gram": (kernels.SKIP_GRAM, False, 1, [[4, ~2, ~7, ~8]]),
        "negatives of each pair": (kernels.SKIP_GRAM, False, 6, [[4, ~5, ~6], [3, ~7], [2, ~8, ~1, ~0], [], [], []]),
        "many targets": (kernels.SKIP_GRAM, False, 1, [[4, ~0, ~1, ~2, ~3, ~5, ~6, ~7]]),
        "tree": (kernels.SKIP_GRAM, False, 1, [[0, ~2, 3, ~5, ~1, 7, 6]]),
        "cbow": (kernels.CBOW, False, 1, [[4, ~2, ~7, ~8]]),
        "tree of cbow": (kernels.CBOW, False, 1, [[0, ~2, 3]]),
        "softmax": (kernels.SKIP_GRAM, True, 1, [[4]]),
        "softmax of cbow": (kernels.CBOW, True, 1, [[4]]),
    }


def step(case, contexts, targets, rate):
    """One window of radius 3 round token 4 of the sentence; the objective before it."""
    architecture, softmax, groups, rows = objectives()[case]
    starts = np.cumsum([0] + [len(group) for group in rows]).astype(np.int32)
    chosen = np.array([row for group in rows for row in group], np.int32)
    kind, radii = (architecture, softmax, groups, starts, chosen), np.array([3], np.int32)
    loss, pairs = kernels.train_windows(SENTENCE, 4, radii, 3, *kind, contexts, targets, rate, True)
    assert pairs == (1 if architecture == kernels.CBOW else 3)
    return loss


@pytest.mark.parametrize("case", objectives())
def test_steps_are_minus_the_gradient(rng, case):
    width = -(-SIZE // lanes(np.float64)) * lanes(np.float64)
    contexts, targets = np.zeros((2, N_WORDS, width))
    contexts[:, :SIZE], targets[:, :SIZE] = rng.normal(size=(2, N_WORDS, SIZE))
    after = contexts.copy(), targets.copy()
    step(case, *after, 1.0)
    cbow = objectives()[case][0] == kernels.CBOW
    for which, name in enumerate(("contexts", "targets")):
        matrix = (contexts, targets)[which]
        numeric = np.zeros_like(matrix)
        for index in np.ndindex(N_WORDS, SIZE):
            value, losses = matrix[index], []
            for change in (1e-6, -1e-6):
                matrix[index] = value + change
                losses.append(step(case, contexts, targets, 0.0))
            matrix[index] = value
            numeric[index] = (losses[0] - losses[1]) / 2e-6
        # CBOW gives each of the three words of the window the whole step of their mean.
        expected = -numeric * (3 if cbow and name == "contexts" else 1)
        np.testing.assert_allclose(after[which] - matrix, expected, rtol=1e-5, atol=1e-7, err_msg=name)
        assert np.abs(expected).max() > 0.1


def test_a_word_that_stands_twice_takes_both_steps(rng):
    tokens = np.array([1, 0, 1], np.int32)
    width = lanes(np.float64) * 2
    contexts, targets = rng.normal(size=(2, 2, width))
    before = contexts.copy(), targets.copy()
    chosen = np.array([0, ~1], np.int32)
    arguments = (0, False, 1, np.array([0, 2], np.int32), chosen)
    kernels.train_windows(tokens, 1, np.array([2], np.int32), 2, *arguments, contexts, targets, 0.5, False)
    slope = np.array([1.0, 0.0]) - 1 / (1 + np.exp(-before[1] @ before[0][1]))
    np.testing.assert_allclose(contexts[1], before[0][1] + 2 * 0.5 * slope @ before[1], rtol=1e-12)
    np.testing.assert_allclose(targets, before[1] + 2 * 0.5 * slope[:, None] * before[0][1], rtol=1e-12)


@kernel
def _pairs(x, y, z, g, dots, vectors):
    width, n = x.shape[1], g.shape[0]
    xs, ys, zs = np.empty(x.shape[0], np.int64), np.empty(TARGETS, np.int64), np.empty(n, np.int64)
    for a in range(x.shape[0]):
        xs[a] = address(x, a * width)
    for a in range(n):
        zs[a] = address(z, a * width)
    for k in range(TARGETS):
        ys[k] = address(y, k * width)
    pair_dots(x, address(xs, 0), n, address(ys, 0), vectors, address(dots, 0))
    pair_updates(x, address(xs, 0), address(zs, 0), n, address(ys, 0), address(g, 0), vectors)
    keep(xs)
    keep(ys)
    keep(zs)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("n", "vectors"), [(1, 1), (2, 3), (5, 2), (8, 7)])
def test_products_of_rows(rng, dtype, n, vectors):
    width = vectors * lanes(dtype)
    x, y = rng.normal(size=(n, width)).astype(dtype), rng.normal(size=(TARGETS, width)).astype(dtype)
    z, g = rng.normal(size=(n, width)).astype(dtype), rng.normal(size=(n, TARGETS)).astype(dtype)
    dots = np.zeros(n * TARGETS + lanes(dtype), dtype)
    expected = x @ y.T, z + g @ y, y + g.T @ x
    _pairs(x, y, z, g, dots, vectors)
    tolerance = 2e-5 if dtype == np.float32 else 1e-13
    for found, wanted in zip((dots[: n * TARGETS].reshape(n, TARGETS), z, y), expected, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=tolerance, atol=tolerance)


@kernel
def _blend(z, rest, x, share, vectors):
    xs = np.empty(x.shape[0], np.int64)
    for a in range(x.shape[0]):
        xs[a] = address(x, a * x.shape[1])
    blend_row(x, address(z, 0), rest, address(xs, 0), x.shape[0], share, vectors)
    keep(xs)


def test_blend_of_rows(rng):
    width = 3 * lanes(np.float64)
    x, z = rng.normal(size=(4, width)), rng.normal(size=width)
    expected = 0.3 * z + 1.7 * x.sum(axis=0)
    _blend(z, 0.3, x, 1.7, 3)
    np.testing.assert_allclose(z, expected, rtol=1e-13)


@kernel
def _logistic(x, signs, count, rate, sums):
    logistic_slopes(x, address(x, 0), address(signs, 0), count, rate, address(sums, 0))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("count", [1, 5, 16, 37])
def test_logistic_slopes(rng, dtype, count):
    room = count + lanes(dtype)
    x = rng.normal(0, 10, room).astype(dtype)
    x[: min(count, 4)] = [0, 200, -200, 89][: min(count, 4)]
    signs = rng.choice([-1.0, 0.0, 1.0], room).astype(dtype)
    sums = np.ones(2 * lanes(dtype), dtype)
    sums[: lanes(dtype)] = 0
    wide, s = x[:count].astype(np.float64), signs[:count].astype(np.float64)
    expected = 0.5 * s / (1 + np.exp(s * wide))
    loss = np.sum(s * s * np.logaddexp(0, -s * wide))
    _logistic(x, signs, count, dtype(0.5), sums)
    tolerance = 1e-6 if dtype == np.float32 else 1e-15
    np.testing.assert_allclose(x[:count], expected, rtol=4 * tolerance, atol=1e-37)
    found = sums[: lanes(dtype)].sum(dtype=np.float64) + np.log(sums[lanes(dtype) :].astype(np.float64)).sum()
    assert found == pytest.approx(loss, rel=tolerance, abs=10 * tolerance)


def test_long_windows_do_not_overflow(rng):
    """The loss is the logarithm of a product that is taken before it is too large."""
    n = 401
    tokens, contexts = np.arange(n, dtype=np.int32) % 7, np.zeros((7, 4 * lanes(np.float32)), np.float32)
    chosen = np.array([0, *(~i for i in range(1, 7))], np.int32)
    targets = np.zeros_like(contexts)
    starts = np.array([0, 7], np.int32)
    arguments = (0, False, 1, starts, chosen, contexts, targets, 0.0, False)
    loss, pairs = kernels.train_windows(tokens, 200, np.array([200], np.int32), 200, *arguments)
    assert pairs == 400
    assert loss == pytest.approx(400 * 7 * np.log(2), rel=1e-6)


# -- draws ------------------------------------------------------------------------------------------------------------


def test_subsampling_keeps_each_words_share():
    tokens = np.tile(np.array([0, 1, 2, -1], np.int32), 50_000)
    kept = np.empty_like(tokens)
    n = draws.subsample(tokens, np.array([2**31, 2**32, 0], np.uint64), 0, KEY, kept)
    counts = np.bincount(kept[:n] + 1, minlength=4)
    assert counts[0] == counts[2] == 50_000, "sentence ends and a word kept always"
    assert counts[3] == 0
    assert abs(counts[1] - 25_000) < 5 * np.sqrt(12_500)


def test_radii_are_uniform():
    radii = np.empty(60_000, np.int32)
    draws.draw_radii(6, True, 0, KEY, radii)
    assert stats.chisquare(np.bincount(radii, minlength=7)[1:]).pvalue > 1e-3
    draws.draw_radii(6, False, 0, KEY, radii)
    assert (radii == 6).all()


@pytest.mark.parametrize("n", [1, 2, 50])
def test_noise_has_its_distribution(n):
    share = 1 / np.arange(1, n + 1) ** 0.75
    share /= share.sum()
    threshold, alias = np.empty(n, np.uint64), np.empty(n, np.int32)
    draws.alias_table(share * n, threshold, alias)
    noise = np.empty(200_000, np.int32)
    draws.draw_noise(threshold, alias, 0, KEY, noise)
    counts = np.bincount(noise, minlength=n)
    assert n == 1 or stats.chisquare(counts, share * noise.size).pvalue > 1e-3
    later = np.empty(100, np.int32)
    draws.draw_noise(threshold, alias, 2 * 1000, KEY, later)
    np.testing.assert_array_equal(later, noise[1000:1100])


def test_groups_have_no_row_twice():
    tokens = np.array([0, 1, -1, 2, 3] * 100, np.int32)
    pool = np.array([0, 1, 2, 3, 3, 3], np.int32)
    starts, chosen = np.empty(2 * tokens.size + 1, np.int32), np.empty(tokens.size * 2 * 6, np.int32)
    n = draws.choose_negatives(tokens, 2, 5, pool, 0, KEY, starts, chosen)
    assert starts[-1] == n
    seen = set()
    for i in range(2 * tokens.size):
        group, token = chosen[starts[i] : starts[i + 1]].tolist(), tokens[i // 2]
        if token < 0:
            assert group == []
            continue
        rows = [~row for row in group[1:]]
        assert group[0] == token
        assert len(set(rows)) == len(rows)
        assert token not in rows
        seen.update(rows)
    assert seen == {0, 1, 2, 3}


# -- merging ----------------------------------------------------------------------------------------------------------


def test_merged_copies_go_as_far_as_steps_in_turn_would():
    """On a quadratic objective, whose steps take a row the same share of the way to its minimum."""
    goal, start, shrink, steps, m = 3.0, 1.0, 0.9, 4, 5
    in_turn = goal + (start - goal) * shrink ** (m * steps)
    copy = goal + (start - goal) * shrink**steps
    share = merged_share(m, steps, -np.log(shrink))
    assert start + share * m * (copy - start) == pytest.approx(in_turn, abs=1e-12)


def test_few_steps_add_up_and_many_are_averaged():
    assert merged_share(4, 10, 1e-9) == pytest.approx(1, abs=1e-6)
    assert merged_share(4, 10, 0.0) == 1
    assert merged_share(4, 10, 100.0) == pytest.approx(1 / 4)
    assert merged_share(1, 10, 100.0) == 1

"""The digits are split once and for all."""

import numpy as np

from neurojit.datasets import digits, load_npz


def test_digits():
    x_train, y_train, x_test, y_test = digits()
    assert x_train.shape == (1437, 8, 8, 1)
    assert x_test.shape == (360, 8, 8, 1)
    assert x_train.dtype == np.float32
    assert x_train.min() == 0
    assert x_train.max() == 1
    assert np.bincount(y_test).min() >= 35
    together = np.concatenate([x_train, x_test]).reshape(1797, -1)
    assert len(np.unique(together, axis=0)) == 1797
    np.testing.assert_array_equal(digits()[2], x_test)
    assert y_test[:8].tolist() == [8, 6, 9, 9, 1, 1, 0, 1]
    assert y_train.shape == (1437,)


def test_npz(tmp_path):
    arrays = {name: np.arange(i, i + 3) for i, name in enumerate(("x_train", "y_train", "x_test", "y_test"))}
    np.savez(tmp_path / "data.npz", **arrays, more=np.ones(2))
    for found, expected in zip(load_npz(tmp_path / "data.npz"), arrays.values(), strict=True):
        np.testing.assert_array_equal(found, expected)

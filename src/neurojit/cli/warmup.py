"""`neurojit warmup`: every kernel compiled into the cache, so that no later first call waits for it."""

import tempfile
import time
from pathlib import Path

import numpy as np

from neurojit import functional as F
from neurojit import training
from neurojit.core import cache
from neurojit.core.random import Key
from neurojit.estimators import EchoStateRegressor, Word2Vec
from neurojit.functional import Op
from neurojit.layers import Dense
from neurojit.reservoirs import Liquid
from neurojit.text import LineSentences


def warmup(dtypes=("float32",)):
    """Call every function and its pullback once and print how long each took.

    Parameters
    ----------
    dtypes : sequence of str, default=("float32",)
        Precisions to compile for.
    """
    place = cache.directory()
    print("no cache can be written: kernels last for this process only" if place is None else f"kernel cache {place}")
    started = time.perf_counter()
    for dtype in dtypes:
        for name, call in calls(np.dtype(dtype)).items():
            before = time.perf_counter()
            call()
            print(f"{name:<22} {dtype}  {time.perf_counter() - before:6.2f} s", flush=True)
    print(f"{time.perf_counter() - started:.1f} s in all")


def calls(dtype):
    """What to call, by name: all of `neurojit.functional`, optimizers, random numbers, reservoirs, word vectors."""
    found = {"random": lambda: (Key(0).normal(5, dtype=dtype), Key(0).permutation(5))}
    for name in F.__all__:
        if isinstance(getattr(F, name), Op):
            found[name] = _op_call(getattr(F, name), *_arguments(name, dtype))
    found |= {name: lambda name=name: _recurrent(name, dtype) for name in ("rnn", "lstm", "gru")}
    image, window = np.ones((2, 9, 9, 3), dtype), np.ones((3, 3, 1, 3), dtype)
    found["conv2d depthwise"] = _op_call(F.conv2d, (image, window), {"groups": 3})
    tile = np.ones((16, 8, 8, 16), dtype), np.ones((3, 3, 16, 16), dtype)
    found["conv2d Winograd"] = _op_call(F.conv2d, tile, {"padding": 1})
    for optimizer in (training.SGD(0.1, momentum=0.9), training.RMSprop(0.1), training.Adam(0.1)):
        found[type(optimizer).__name__] = _optimizer_call(optimizer, dtype)
    found |= {"reservoirs": lambda: _reservoirs(dtype), "liquid": lambda: Liquid(1).run(np.ones((3, 1)))}
    return found | {"word vectors": _word_vectors}


def _reservoirs(dtype):
    """Long and short series, and a closed loop."""
    for topology in ("random", "shifts"):
        model = EchoStateRegressor(20, topology=topology, washout=0, dtype=dtype.name)
        model.fit([np.ones((9, 1))] * 20, [np.ones((9, 1))] * 20).fit(np.ones((9, 1)), np.ones((9, 1))).generate(2)


def _word_vectors():
    """Both updates, from a file of more words than a new table has room for; all objectives share their kernels."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "text.txt"
        path.write_text(" ".join(f"word{i}" for i in range(3000)))
        for update in ("deterministic", "hogwild"):
            Word2Vec(4, min_count=1, epochs=1, update=update).fit(LineSentences(path))


def _op_call(op, arguments, options):
    def call():
        op(*arguments, **options)
        y, backward = op.vjp(*arguments, **options)
        backward(_ones_like(y))

    return call


def _ones_like(y):
    return tuple(map(_ones_like, y)) if isinstance(y, tuple) else np.ones_like(y)


def _recurrent(name, dtype):
    """A recurrent network on one sequence, on the calling thread, and on many, on all threads."""
    columns = {"rnn": 8, "lstm": 32, "gru": 24}[name]
    states = [None] * (2 if name == "lstm" else 1)
    weights = [np.ones((rows, columns), dtype) for rows in (3, 8)]
    for n in (1, 64):
        _op_call(getattr(F, name), (np.ones((n, 4, 3), dtype), *states, *weights), {})()


def _optimizer_call(optimizer, dtype):
    def call():
        layer = Dense(3).make((2,), 0, dtype)
        optimizer.update({p: np.ones_like(p.value) for p in layer.named_parameters().values()})

    return call


def _arguments(name, dtype):
    """Small arguments for a function: where none are named here, one matrix."""

    def ones(*shape):
        return np.ones(shape, dtype)

    image, signal, rows, volume = ones(2, 9, 9, 3), ones(2, 9, 3), ones(4, 5), ones(2, 3, 3, 3, 3)
    images = ones(4, 9, 9, 3)  # so many that each sample is normalized whole; batch_norm compiles the other way
    labels = np.zeros(4, np.int64)
    named = {
        "conv1d": ((signal, ones(3, 3, 8), ones(8)), {}),
        "conv2d": ((image, ones(3, 3, 3, 8), ones(8)), {}),
        "conv3d": ((ones(2, 3, 4, 4, 3), ones(3, 3, 3, 3, 8), ones(8)), {}),
        "conv_transpose1d": ((signal, ones(3, 8, 3), ones(8)), {}),
        "conv_transpose2d": ((image, ones(3, 3, 8, 3), ones(8)), {}),
        "conv_transpose3d": ((ones(2, 3, 4, 4, 3), ones(3, 3, 3, 8, 3), ones(8)), {}),
        "deform_conv2d": ((image, ones(2, 9, 9, 2), ones(1, 1, 3, 8), ones(8)), {"mask": ones(2, 9, 9, 1)}),
        "binary_conv2d": ((image, ones(3, 3, 3, 8), ones(8)), {}),
        "binary_dense": ((rows, ones(5, 3), ones(3)), {}),
        "dense": ((rows, ones(5, 3), ones(3)), {}),
        "prelu": ((rows, ones(5)), {}),
        "batch_norm": ((image, ones(3), ones(3)), {}),
        "instance_norm": ((images, ones(3), ones(3)), {}),
        "group_norm": ((images, ones(3), ones(3)), {"groups": 3}),
        "layer_norm": ((rows, ones(5), ones(5)), {}),
        "rms_norm": ((rows, ones(5)), {}),
        "dropout": ((rows, 0.5, Key(0)), {}),
        "embedding": ((labels, rows), {}),
        "conv_lstm": ((ones(2, 2, 5, 5, 3), None, None, ones(3, 3, 3, 8), ones(3, 3, 2, 8)), {}),
        "cross_entropy": ((rows, labels), {}),
        "ctc_loss": ((ones(2, 3, 4), labels[:2, None] + 1, [3, 3], [1, 1]), {}),
        "nll_loss": ((rows, labels), {}),
        "mse_loss": ((rows, rows), {}),
        "weight_norm": ((rows, ones(5)), {}),
        **{f"{kind}_pool1d": ((signal, 2), {}) for kind in ("max", "avg", "lp")},
        **{f"{kind}_pool2d": ((image, 2), {}) for kind in ("max", "avg", "lp")},
        "adaptive_avg_pool2d": ((image, 2), {}),
        **{f"{kind}_pool3d": ((volume, 2), {}) for kind in ("max", "avg", "lp")},
        **{f"max_unpool{x.ndim - 2}d": _unpool_arguments(x) for x in (signal, image, volume)},
        "global_avg_pool": ((image,), {}),
        "global_max_pool": ((image,), {}),
        "reshape": ((rows, (5,)), {}),
    }
    return named.get(name, ((rows,), {}))


def _unpool_arguments(y):
    return (y, np.zeros(y.shape, np.int32)), {"spatial_shape": 2}

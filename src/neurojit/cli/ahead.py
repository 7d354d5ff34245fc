"""The demo's kernels compiled by two processes: the demo meets them from the first layer on, this one from the last.

Compiling takes one core a process and nearly all the time of a first run. Both keep what they compile in the same
cache and look there first, so they meet about half way.
"""

import contextlib
import json
import os
import subprocess
import sys

import numpy as np

from neurojit.core import cache
from neurojit.core.random import Key
from neurojit.functional import softmax
from neurojit.layers import Mode
from neurojit.models import default_convnet
from neurojit.training import Adam, CrossEntropy

_BATCH = 32  # images, as many as the estimator takes of small data


@contextlib.contextmanager
def compiling_ahead(input_shape, n_classes):
    """Let a second process compile from the last layer on while the block runs; on a single core nothing happens."""
    if cache.directory() is None or os.cpu_count() == 1:
        yield
        return
    helper = subprocess.Popen(
        [sys.executable, "-m", "neurojit.cli.ahead", json.dumps([input_shape, n_classes])],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,  # it only saves time: what fails here fails in the demo as well, and is told there
    )
    try:
        yield
    finally:
        helper.kill()  # kernels are written to the cache whole or not at all
        helper.wait()


def compile_backwards(input_shape, n_classes):
    """Call the optimizer, the loss and the layers of a default network once each, the last ones first."""
    network = default_convnet(input_shape, n_classes).make(input_shape, 0)
    Adam(0.1).update({p: np.ones_like(p.value) for p in network.named_parameters().values()})
    logits = np.zeros((_BATCH, n_classes), np.float32)
    softmax(logits)  # of predictions
    _, backward = CrossEntropy().vjp(logits, np.zeros(_BATCH, np.int64))
    backward()
    shapes = [tuple(input_shape)]
    for layer in network:
        shapes.append(layer.output_shape(shapes[-1]))
    for i, layer in reversed(list(enumerate(network))):
        x = np.zeros((_BATCH, *shapes[i]), np.float32)
        y, backward = layer.vjp(x, Mode(training=True, key=Key(0)))
        backward(np.ones_like(y), need_dx=i > 0)
        layer(x)


if __name__ == "__main__":
    compile_backwards(*json.loads(sys.argv[1]))

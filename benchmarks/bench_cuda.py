"""The GPU: products, convolutions, passes over memory, recurrent layers, word vectors, reservoirs, a LeNet epoch.

Beside each of ours stand PyTorch with cuDNN (without and with TF32), CuPy for products, both where they are installed,
and the floor: bytes at the rate of a copy or operations at the rate of plain arithmetic, whichever takes longer.
"""

import contextlib
import math
import time

import numpy as np

import neurojit as nj
import neurojit.functional as F
from benchmarks import bench_convnet, cuda_timing, harness
from neurojit.core.cuda import diagnosis, to_device
from neurojit.core.random import Key
from neurojit.reservoirs import make_reservoir
from neurojit.text.device_training import DeviceWordVectorTraining
from neurojit.text.training import Objective
from neurojit.training import Adam, ArrayBatches, CrossEntropy, Trainer

_SIZES = 2048, 4096
_IMAGES = 64
_CONVOLUTIONS = {"3x3 64@56": (56, 64), "3x3 128@28": (28, 128), "3x3 256@14": (14, 256)}
_PASS = 64, 56, 56, 64  # images that passes over memory are timed on
_RECURRENT = 100, 32, 128, 512  # steps, sequences, inputs, units
_WORDS, _TEXT = 100_000, 1 << 22
_UNITS, _STEPS = 10_000, 1000
_BATCH = 256


def _torch():
    """PyTorch where it is installed and sees the GPU, else None."""
    try:
        import torch
    except ImportError:
        return None
    return torch if torch.cuda.is_available() else None


def _cupy():
    try:
        import cupy
    except ImportError:
        return None
    return cupy


@contextlib.contextmanager
def _tf32(torch, allowed):
    before = torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = allowed
    try:
        yield
    finally:
        torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32 = before


class Table:
    """Rows of times: ours, the peers', the floor, and what of each peer's speed ours is."""

    def __init__(self):
        self.copy, self.arithmetic = cuda_timing.copy_rate(), cuda_timing.arithmetic_rate()
        self.torch, self.cupy = _torch(), _cupy()
        print(f"copy {self.copy / 1e12:.2f} TB/s, plain arithmetic {self.arithmetic / 1e12:.1f} TFLOP/s")
        found = [("PyTorch", self.torch), ("CuPy", self.cupy)]
        print("beside " + (", ".join(f"{name} {lib.__version__}" for name, lib in found if lib) or "no other library"))
        print(f"{'':28s}{'ours us':>10s}{'floor us':>10s}   peers: us (share of their speed)")

    def row(self, name, ours, shapes, peers=None, *, n_bytes=0, operations=0):
        """Time a function of arrays of some shapes beside functions of PyTorch or CuPy with the same arguments."""
        size = 4 * sum(math.prod(shape) for shape in shapes)
        make = lambda seed: tuple(cuda_timing.normal(shape, 10 * seed + i) for i, shape in enumerate(shapes))  # noqa: E731
        arrays = cuda_timing.sets(make, size)
        functions, arguments = {"ours": ours}, {"ours": arrays}
        for peer, (take, function) in (peers or {}).items():
            functions[peer], arguments[peer] = function, [tuple(map(take, call)) for call in arrays]
        times = cuda_timing.seconds(functions, arguments)
        floor = max(n_bytes / self.copy, operations / self.arithmetic)
        rest = (f"{peer} {t * 1e6:.1f} ({t / times['ours']:.2f})" for peer, t in times.items() if peer != "ours")
        print(f"{name:28s}{times['ours'] * 1e6:10.1f}{floor * 1e6:10.1f}   {', '.join(rest)}", flush=True)

    def of_torch(self, function, take=None):
        """Peers: a function of PyTorch's arrays without and with TF32; the arrays share memory with ours."""
        if self.torch is None:
            return {}
        torch = self.torch
        take = take or (lambda array: torch.as_tensor(array, device="cuda"))

        def mode(allowed):
            def call(*arrays):
                with torch.no_grad(), _tf32(torch, allowed):
                    return function(*arrays)

            return call

        return {"PyTorch": (take, mode(False)), "with TF32": (take, mode(True))}


def products(table):
    """Square matrices."""
    for n in _SIZES:
        peers = table.of_torch(lambda a, b: a @ b)
        if table.cupy is not None:
            peers["CuPy"] = table.cupy.asarray, lambda a, b: a @ b
        table.row(f"product {n}", F.dense, [(n, n), (n, n)], peers, n_bytes=12 * n * n, operations=2 * n**3)


def convolutions(table):
    """3 x 3 and both gradients, depthwise, and causal over time."""
    for name, (size, channels) in _CONVOLUTIONS.items():
        image, weight = (_IMAGES, size, size, channels), (3, 3, channels, channels)
        work = {"operations": 2 * math.prod(image) * 9 * channels, "n_bytes": 8 * math.prod(image)}
        conv = _pair(table, lambda t, x, w: t.nn.functional.conv2d(x, w, padding=1))
        table.row(name, lambda x, w: F.conv2d(x, w, padding=1), [image, weight], conv, **work)
        for what, wrt in (("dx", (True, False)), ("dweight", (False, True))):
            ours = _gradient(lambda x, w: F.conv2d.vjp(x, w, padding=1), wrt)
            peers = _pair(table, _torch_gradient(what == "dx"))
            table.row(f"{name} {what}", ours, [image, weight, image], peers, **work)
    image, weight = _PASS, (3, 3, 1, _PASS[-1])
    peers = _pair(table, lambda t, x, w: t.nn.functional.conv2d(x, w, padding=1, groups=_PASS[-1]))
    ours = lambda x, w: F.conv2d(x, w, padding=1, groups=_PASS[-1])  # noqa: E731
    table.row("depthwise 3x3", ours, [image, weight], peers, n_bytes=8 * math.prod(image))
    _causal(table)


def _pair(table, function):
    """Peers of a function of images and weights: channels last in memory, as PyTorch likes them on a GPU."""
    torch = table.torch
    if torch is None:
        return {}

    def take(array):
        tensor = torch.as_tensor(array, device="cuda")
        is_weight = tensor.shape[0] <= 3
        tensor = tensor.permute(3, 2, 0, 1) if is_weight else tensor.permute(0, 3, 1, 2)
        return tensor.contiguous(memory_format=torch.channels_last)

    return table.of_torch(lambda *arrays: function(torch, *arrays), take)


def _gradient(vjp, wrt):
    """A function of x, weight and dy that computes one gradient."""
    return lambda x, weight, dy: vjp(x, weight)[1](dy, wrt)


def _torch_gradient(to_input):
    def function(torch, x, weight, dy):
        gradient = torch.nn.grad.conv2d_input if to_input else torch.nn.grad.conv2d_weight
        first = (x.shape, weight) if to_input else (x, weight.shape)
        return gradient(*first, dy, padding=1)

    return function


def _causal(table):
    n, length, channels, dilation = 16, 4096, 64, 8
    shapes = [(n, length, channels), (3, channels, channels)]
    operations = 2 * 3 * channels * math.prod(shapes[0])
    peers = {}
    if table.torch is not None:
        torch = table.torch

        def take(array):
            tensor = torch.as_tensor(array, device="cuda")
            return (tensor.permute(2, 1, 0) if tensor.shape[0] == 3 else tensor.permute(0, 2, 1)).contiguous()

        def causal(x, w):
            return torch.nn.functional.conv1d(torch.nn.functional.pad(x, (2 * dilation, 0)), w, dilation=dilation)

        peers = table.of_torch(causal, take)
    ours = lambda x, w: F.conv1d(x, w, padding="causal", dilation=dilation)  # noqa: E731
    table.row("causal 3 over time", ours, shapes, peers, n_bytes=8 * math.prod(shapes[0]), operations=operations)


def passes(table):
    """Pooling, norms and activations: what memory allows."""
    size, channels = math.prod(_PASS), _PASS[-1]
    of_images = {
        "max pool 2": (lambda x: F.max_pool2d(x, 2), lambda t, x: t.nn.functional.max_pool2d(x, 2), 1.25),
        "batch norm": (F.batch_norm, lambda t, x: t.nn.functional.batch_norm(x, None, None, training=True), 3),
        "relu": (F.relu, lambda t, x: t.relu(x), 2),
        "gelu": (F.gelu, lambda t, x: t.nn.functional.gelu(x), 2),
        "softmax": (F.softmax, lambda t, x: t.softmax(x, 1), 2),
    }
    for name, (ours, peer, reads) in of_images.items():
        table.row(name, ours, [_PASS], _pair(table, peer), n_bytes=4 * reads * size)
    rows = (size // (16 * channels), 16 * channels)
    peers = table.of_torch(lambda x: table.torch.nn.functional.layer_norm(x, rows[1:]))
    table.row("layer norm", F.layer_norm, [rows], peers, n_bytes=8 * size)


def recurrent(table):
    """LSTM and GRU, forward, and forward with all gradients."""
    steps, n, inputs, units = _RECURRENT
    for name, op, gates in (("lstm", F.lstm, 4), ("gru", F.gru, 3)):
        shapes = [(n, steps, inputs), (inputs, gates * units), (units, gates * units)]
        operations = 2 * steps * n * gates * units * (inputs + units)
        states = [to_device(np.zeros((n, units), np.float32)) for _ in range(2 if name == "lstm" else 1)]
        ours = lambda x, w, u, op=op, states=states: op(x, *states, w, u)  # noqa: E731
        both = lambda x, w, u, op=op, states=states: _gradients(op.vjp(x, *states, w, u))  # noqa: E731
        forward, backward = _recurrent_peers(table, name)
        table.row(name, ours, shapes, forward, operations=operations)
        table.row(f"{name} with gradients", both, shapes, backward, operations=3 * operations)


def _gradients(result):
    """Of half the sum of squares of a result."""
    value, backward = result
    return backward(value)


def _recurrent_peers(table, name):
    if table.torch is None:
        return {}, {}
    torch = table.torch
    _, _, inputs, units = _RECURRENT
    layer = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU}[name](inputs, units, batch_first=True, device="cuda")

    def with_gradients(x, w, u):
        with torch.enable_grad():
            y, _ = layer(x.requires_grad_())
            return torch.autograd.grad(y, [x, *layer.parameters()], y)

    return table.of_torch(lambda x, w, u: layer(x)), table.of_torch(with_gradients)


def word_vectors():
    """Skip-gram with five negative samples, vectors of 128 numbers."""
    counts = np.maximum(1, _TEXT // 20 // np.arange(1, _WORDS + 1))
    chances = counts / counts.sum()
    text = np.random.default_rng(0).choice(_WORDS, _TEXT, p=chances).astype(np.int32)
    text[20::21] = -1
    for update in ("hogwild", "deterministic"):
        training = DeviceWordVectorTraining(counts, 128, Objective(update=update), Key(0))
        for _ in range(2):  # the first one compiles
            started = time.perf_counter()
            words = sum(n for n, _, _ in training.run_epoch([text], lambda done: 0.025))
            rate = words / (time.perf_counter() - started)
        print(f"skip-gram, {update}: {rate / 1e6:.1f} M words/s", flush=True)


def reservoirs():
    """A step of a reservoir of 10 000 units, with the way of states to the host and without."""
    for topology, options in (("random", {"density": 0.01}), ("shifts", {"fan_in": 100}), ("shifts", {"fan_in": 10})):
        made = make_reservoir(1, n_units=_UNITS, topology=topology, dtype=np.float32, random_state=0, **options)
        made.to("cuda")
        u = np.random.default_rng(0).standard_normal((_STEPS, 1)).astype(np.float32)
        made.run(u)
        started = time.perf_counter()
        made.run(u)
        each = (time.perf_counter() - started) / _STEPS
        print(f"reservoir, {topology} {options}: {each * 1e6:.1f} us a step, states on the host", flush=True)


def epoch(torch):
    """A MNIST epoch of the LeNet-style network, batch 256."""
    x, y, _, _ = harness.load("mnist")
    network = bench_convnet.network().make((28, 28, 1), 0).to("cuda")
    trainer = Trainer(network, CrossEntropy(), Adam(), batch_size=_BATCH, max_epochs=1, random_state=0)
    trainer.fit(ArrayBatches(x[: 2 * _BATCH], y[: 2 * _BATCH]))
    trainer.max_epochs = 2
    started = time.perf_counter()
    trainer.fit(ArrayBatches(x, y))
    print(f"LeNet epoch: ours {time.perf_counter() - started:.2f} s", flush=True)
    if torch is not None:
        print(f"LeNet epoch: PyTorch {_torch_epoch(torch, x, y):.2f} s", flush=True)


def _torch_epoch(torch, x, y):
    network = bench_convnet.peer_network().cuda()
    optimizer = torch.optim.Adam(network.parameters())
    images, labels = torch.from_numpy(x.transpose(0, 3, 1, 2)), torch.from_numpy(y)

    def run(n):
        for start in range(0, n, _BATCH):
            batch, targets = images[start : start + _BATCH].cuda(), labels[start : start + _BATCH].cuda()
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(network(batch), targets).backward()
            optimizer.step()
        torch.cuda.synchronize()

    run(2 * _BATCH)
    started = time.perf_counter()
    run(len(x))
    return time.perf_counter() - started


def main():
    missing = diagnosis.missing()
    if missing:
        print(f"no GPU, so no figures: {'; '.join(missing)}")
        return
    print(f"{diagnosis.describe()}; neurojit {nj.__version__}")
    table = Table()
    for family in (products, convolutions, passes, recurrent):
        try:
            family(table)
        except NotImplementedError as error:
            print(f"{family.__name__}: {error}")
    word_vectors()
    reservoirs()
    epoch(table.torch)

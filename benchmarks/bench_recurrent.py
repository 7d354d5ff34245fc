"""Recurrent layers beside PyTorch's: forward, forward and backward, a step of a stream, variants written as loops.

Times of ``python -m benchmarks recurrent``: PyTorch runs in the faster of its two layouts, batch or time
first, and without gradients where none are asked for; what it has no kernel for (peepholes, convolutional LSTM) is the
loop its users write.
"""

import numpy as np

import neurojit.functional as F
from benchmarks import harness
from benchmarks.tile import tile_rate
from neurojit.layers import LSTM, Mode

SHAPES = [(50, 32, 64, 128), (100, 16, 32, 32), (100, 64, 128, 512), (28, 64, 28, 128), (200, 1, 16, 64)]
PAUSE = 0.05  # seconds before each turn
GATES = {"rnn": 1, "lstm": 4, "gru": 3}
PEEPHOLE = (50, 32, 64, 128)
MAPS = (10, 8, 16, 16, 32)  # steps, batch, height = width, channels, hidden channels


def arrays(cell, shape):
    t, n, f, h = shape
    rng = np.random.default_rng(0)
    columns = GATES[cell] * h

    def draw(*size):
        return (rng.standard_normal(size) / np.sqrt(h)).astype(np.float32)

    states = [np.zeros((n, h), np.float32) for _ in range(2 if cell == "lstm" else 1)]
    x = rng.standard_normal((n, t, f)).astype(np.float32)
    return [x, *states, draw(f, columns), draw(h, columns), draw(columns)]


def ours(cell, shape):
    op, given = getattr(F, cell), arrays(cell, shape)
    options = {"reset_after": True, "bias_hh": given[-1]} if cell == "gru" else {}
    y, _ = op(*given, **options)
    dy = np.ones_like(y)
    last = np.zeros_like(given[1])
    dlast = (last, last) if cell == "lstm" else last

    def backward():
        _, pullback = op.vjp(*given, **options)
        pullback((dy, dlast))

    return {"forward": lambda: op(*given, **options), "forward+backward": backward}


def peer(cell, shape, batch_first):
    import torch

    t, n, f, h = shape
    kind = {"rnn": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}[cell]
    module = kind(f, h, batch_first=batch_first)
    x = torch.from_numpy(arrays(cell, shape)[0])
    x = (x if batch_first else x.transpose(0, 1)).contiguous()
    tracked = x.clone().requires_grad_()
    dy = torch.ones((n, t, h) if batch_first else (t, n, h))

    def forward():
        with torch.no_grad():
            module(x)

    def backward():
        module.zero_grad(set_to_none=True)
        tracked.grad = None
        module(tracked)[0].backward(dy)

    return {"forward": forward, "forward+backward": backward}


def compare(cell, record):
    """One cell in all shapes."""
    ratios = {}
    for shape in SHAPES:
        mine, first, last = ours(cell, shape), peer(cell, shape, True), peer(cell, shape, False)
        for what, function in mine.items():
            times = harness.interleave(
                {"ours": function, "batch": first[what], "time": last[what]}, repeats=5, pause=PAUSE
            )
            row = record.times(f"{cell} {shape}, {what}", times)
            ratios.setdefault(f"{cell}, {what}", []).append(row.ratio)
    record.means(ratios)


# -- loops of PyTorch's -----------------------------------------------------------------------------------------------


def peephole_loop(shape):
    """A peephole LSTM as its users write it: the inputs' product for all steps, then step by step."""
    import torch

    t, h = shape[0], shape[3]
    x, h0, c0, w, u, bias = (torch.from_numpy(v) for v in arrays("lstm", shape))
    p = torch.full((3, h), 0.1)
    parameters = [v.clone().requires_grad_() for v in (x, w, u, bias, p)]

    def run(x, w, u, bias, p):
        a, state, cell, states = x @ w + bias, h0, c0, []
        for step in range(t):
            i, f, g, o = (a[:, step] + state @ u).chunk(4, dim=1)
            i, f = torch.sigmoid(i + p[0] * cell), torch.sigmoid(f + p[1] * cell)
            cell = f * cell + i * torch.tanh(g)
            state = torch.sigmoid(o + p[2] * cell) * torch.tanh(cell)
            states.append(state)
        return torch.stack(states, dim=1)

    return _torch_passes(run, parameters)


def _torch_passes(run, parameters):
    import torch

    def forward():
        with torch.no_grad():
            run(*parameters)

    def backward():
        for parameter in parameters:
            parameter.grad = None
        run(*parameters).sum().backward()

    return {"forward": forward, "forward+backward": backward}


def compare_peephole(record):
    given = arrays("lstm", PEEPHOLE)
    p = np.full((3, PEEPHOLE[3]), 0.1, np.float32)
    y, _ = F.lstm(*given, peephole=p)
    dy, zero = np.ones_like(y), np.zeros_like(given[1])

    def backward():
        _, pullback = F.lstm.vjp(*given, peephole=p)
        pullback((dy, (zero, zero)))

    mine = {"forward": lambda: F.lstm(*given, peephole=p), "forward+backward": backward}
    _compare_with_loop(f"peephole LSTM {PEEPHOLE}", mine, peephole_loop(PEEPHOLE), record)


def _compare_with_loop(name, mine, others, record):
    for what, function in mine.items():
        times = harness.interleave({"ours": function, "peer": others[what]}, repeats=5, pause=PAUSE)
        record.times(f"{name}, {what}; a loop", times)


def conv_lstm_arrays():
    t, n, size, c, h = MAPS
    rng = np.random.default_rng(0)
    x = rng.standard_normal((n, t, size, size, c)).astype(np.float32)
    w, u = (0.1 * rng.standard_normal((3, 3, channels, 4 * h)) for channels in (c, h))
    return x, w.astype(np.float32), u.astype(np.float32), np.zeros(4 * h, np.float32)


def conv_lstm_loop(channels_last):
    """A convolutional LSTM as its users write it: the inputs' convolution for all steps, then step by step."""
    import torch

    conv = torch.nn.functional.conv2d
    x, w, u, bias = conv_lstm_arrays()
    t, n, h = MAPS[0], MAPS[1], MAPS[4]
    layout = torch.channels_last if channels_last else torch.contiguous_format
    images = torch.from_numpy(np.ascontiguousarray(x.transpose(1, 0, 4, 2, 3))).flatten(0, 1)
    filters = [torch.from_numpy(np.ascontiguousarray(v.transpose(3, 2, 0, 1))) for v in (w, u)]
    given = [v.contiguous(memory_format=layout).clone().requires_grad_() for v in (images, *filters)]
    given.append(torch.from_numpy(bias).requires_grad_())

    def run(images, w, u, bias):
        a = conv(images, w, bias, padding=1).unflatten(0, (t, n))
        state = cell = torch.zeros(n, h, *images.shape[2:]).contiguous(memory_format=layout)
        states = []
        for step in range(t):
            i, f, g, o = (a[step] + conv(state, u, padding=1)).chunk(4, dim=1)
            cell = torch.sigmoid(f) * cell + torch.sigmoid(i) * torch.tanh(g)
            state = torch.sigmoid(o) * torch.tanh(cell)
            states.append(state)
        return torch.stack(states)

    return _torch_passes(run, given)


def compare_conv_lstm(record):
    x, w, u, bias = conv_lstm_arrays()
    y, (h_n, _) = F.conv_lstm(x, None, None, w, u, bias)
    dy, zero = np.ones_like(y), np.zeros_like(h_n)

    def backward():
        _, pullback = F.conv_lstm.vjp(x, None, None, w, u, bias)
        pullback((dy, (zero, zero)))

    mine = {"forward": lambda: F.conv_lstm(x, None, None, w, u, bias), "forward+backward": backward}
    for name, channels_last in (("channels first", False), ("channels last", True)):
        _compare_with_loop(f"ConvLSTM {MAPS}, {name}", mine, conv_lstm_loop(channels_last), record)


# -- streaming --------------------------------------------------------------------------------------------------------


def compare_streaming(record):
    """One step of one sequence, the state carried on: by a stream, and by the layer as it is called otherwise."""
    import torch

    f, h = 16, 64
    layer = LSTM(h).make((1, f), 0)
    x, mode = np.ones((1, 1, f), np.float32), Mode(carry={})
    stream, step = layer.stream(), np.ones((1, f), np.float32)
    module, cell = torch.nn.LSTM(f, h), torch.nn.LSTMCell(f, h)
    tx, held = torch.ones(1, 1, f), {"module": None, "cell": None}

    def step_of_module():
        with torch.no_grad():
            _, held["module"] = module(tx, held["module"])

    def step_of_cell():
        with torch.no_grad():
            held["cell"] = cell(tx[0], held["cell"])

    functions = {
        "stream": lambda: stream(step),
        "layer": lambda: layer(x, mode),
        "module": step_of_module,
        "cell": step_of_cell,
    }
    times = harness.interleave(functions, repeats=15, inner=300, pause=PAUSE)
    us = {name: seconds * 1e6 for name, seconds in times.items()}
    for own, ours_is in (("stream", "stream"), ("layer", "layer with Mode.carry")):
        for theirs, peer_is in (("module", "nn.LSTM"), ("cell", "nn.LSTMCell")):
            record.add(f"LSTM(64), one step of one sequence, {ours_is}; {peer_is}", us[own], "us", us[theirs])


def main(record):
    record.note(
        f"{tile_rate():.0f} GFLOP/s register tile, {harness.copy_rate():.1f} GB/s copy;"
        " shapes are (t, batch, in, hidden), of maps (t, batch, height = width, in, hidden)"
    )
    for cell in GATES:
        compare(cell, record)
    compare_peephole(record)
    compare_conv_lstm(record)
    compare_streaming(record)

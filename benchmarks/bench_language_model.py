"""Character models of tinyshakespeare: bits a character after ten epochs, and time an epoch beside PyTorch.

``python -m benchmarks language_model`` times some batches of the small model (two LSTMs of 128 units, 50 streams of 64
characters) and of the large one (three of 512) beside the same in PyTorch, in the faster of its two layouts, and then
trains the small one for ten epochs on the first nine tenths of the text.
"""

import time

import neurojit as nj
from benchmarks import harness

SMALL = {"units": 128, "n_layers": 2}
LARGE = {"units": 512, "n_layers": 3}
STREAMS, STEPS, EMBEDDING, CLIP = 50, 64, 64, 1.0
ROUNDS = 5


def text():
    """The first nine tenths, to learn from, and the rest."""
    whole = harness.data_file("tinyshakespeare.txt").read_text(encoding="utf-8")
    border = len(whole) * 9 // 10
    return whole[:border], whole[border:]


def numbers(characters):
    from neurojit.text.symbols import TextSymbols

    symbols = TextSymbols.from_text(characters, "char")
    return symbols.encode(characters), len(symbols)


def our_epoch(symbols, n_symbols, n_batches, *, units, n_layers):
    from neurojit.models import recurrent
    from neurojit.training import Adam, CrossEntropy, StreamBatches, Trainer

    network = recurrent(
        n_symbols, units=units, n_layers=n_layers, per_step=True, n_symbols=n_symbols, embedding_size=EMBEDDING
    )
    trainer = Trainer(
        network, CrossEntropy(), Adam(3e-3), batch_size=STREAMS, clip_norm=CLIP, stateful=True, random_state=0
    )
    data = StreamBatches(symbols[: STREAMS * STEPS * n_batches + 1], STEPS)

    def epoch():
        trainer.max_epochs = trainer.epoch + 1
        trainer.fit(data)

    return epoch


def peer_epoch(symbols, n_symbols, n_batches, batch_first, *, units, n_layers):
    import torch
    from torch import nn

    torch.manual_seed(0)
    embedding = nn.Embedding(n_symbols, EMBEDDING)
    lstm = nn.LSTM(EMBEDDING, units, n_layers, batch_first=batch_first)
    dense = nn.Linear(units, n_symbols)
    parameters = [*embedding.parameters(), *lstm.parameters(), *dense.parameters()]
    optimizer = torch.optim.Adam(parameters, 3e-3)
    length = STEPS * n_batches
    tokens = torch.from_numpy(symbols[: STREAMS * length + 1].astype("int64"))
    inputs, targets = (part.reshape(STREAMS, length) for part in (tokens[:-1], tokens[1:]))
    if not batch_first:
        inputs, targets = inputs.T.contiguous(), targets.T.contiguous()
    axis = 1 if batch_first else 0

    def epoch():
        state = None
        for x, y in zip(inputs.split(STEPS, axis), targets.split(STEPS, axis), strict=True):
            optimizer.zero_grad()
            states, state = lstm(embedding(x), state)
            state = tuple(part.detach() for part in state)
            loss = nn.functional.cross_entropy(dense(states).reshape(-1, n_symbols), y.reshape(-1))
            loss.backward()
            nn.utils.clip_grad_norm_(parameters, CLIP)
            optimizer.step()
            loss.item()

    return epoch


def batches(name, n_batches, **size):
    """Milliseconds a batch, ours and the peer's better layout."""
    symbols, n_symbols = numbers(text()[0])
    functions = {"ours": our_epoch(symbols, n_symbols, n_batches, **size)}
    for batch_first in (True, False):
        functions[batch_first] = peer_epoch(symbols, n_symbols, n_batches, batch_first, **size)
    seconds = harness.interleave(functions, repeats=ROUNDS, inner=1)
    ours, peer = seconds["ours"] / n_batches, min(seconds[True], seconds[False]) / n_batches
    epoch = len(symbols) // (STREAMS * STEPS)
    print(
        f"{name}: ours {ours * 1e3:.1f} ms a batch, PyTorch {peer * 1e3:.1f} ms, ratio {peer / ours:.2f};"
        f" an epoch of {epoch} batches {ours * epoch:.1f} s and {peer * epoch:.1f} s",
        flush=True,
    )


def training(epochs=10):
    """Bits a character of the held-out tenth after some epochs."""
    train, held_out = text()
    started = time.perf_counter()
    model = nj.LanguageModel(
        **SMALL, sequence_length=STEPS, batch_size=STREAMS, embedding_size=EMBEDDING, max_epochs=epochs, random_state=0
    ).fit(train)
    seconds = time.perf_counter() - started
    print(
        f"tinyshakespeare, LSTM 2 x 128, {epochs} epochs in {seconds:.0f} s: {model.score(held_out):.3f} bits a"
        " character of the last tenth; wanted <= 2.35"
    )
    print(model.sample(200, prime="\n", temperature=0.7, random_state=0))


def main():
    batches("LSTM 2 x 128", 20, **SMALL)
    batches("LSTM 3 x 512", 2, **LARGE)
    training()


if __name__ == "__main__":
    main()

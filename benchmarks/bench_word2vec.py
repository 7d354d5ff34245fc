"""Word vectors beside gensim: words a second, the vocabulary's scan, peak memory, and how good the vectors are.

The text is English Wikipedia in sentences of 1,000 words. Each side reads it from the same file, gensim by
`corpus_file`, its fastest way. Settings are gensim's defaults: size 100, window 5, negative 5, sample 1e-3, min_count
5. ``python -m benchmarks.bench_word2vec`` compares quality for three seeds, and after an epoch over the whole text.
"""

import gzip
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

import neurojit as nj
from benchmarks import harness

SENTENCE = 1000
TIMED = 20_000_000  # characters of text in a timed turn
ROUNDS = 3
RESTRICT = 30_000
ARCHITECTURES = {"skip-gram": 1, "cbow": 0}


def corpus(folder, characters):
    """A file of the text's first characters (None for all of it), a sentence a line."""
    data = os.environ.get("NEUROJIT_DATA")
    if not data:
        raise SystemExit("enwiki2015_text8style.txt.gz: set NEUROJIT_DATA to the folder that holds it")
    with gzip.open(Path(data) / "enwiki2015_text8style.txt.gz", "rt", encoding="utf-8") as file:
        words = file.read(characters or -1).split()
    path = Path(folder) / f"text{characters}.txt"
    path.write_text("\n".join(" ".join(words[i : i + SENTENCE]) for i in range(0, len(words), SENTENCE)) + "\n")
    return path


def ours(path, architecture, update, n_threads):
    """A function that trains one epoch on a file, the words being counted."""
    model = nj.Word2Vec(architecture=architecture, update=update, n_threads=n_threads, epochs=1, random_state=0)
    sentences = nj.text.LineSentences(path)
    model.partial_fit(sentences)
    return lambda: model.partial_fit(sentences)


def peers(path, architecture, n_threads):
    """The same by gensim."""
    from gensim.models import Word2Vec

    model = Word2Vec(sg=ARCHITECTURES[architecture], workers=n_threads, epochs=1, seed=0)
    model.build_vocab(corpus_file=str(path))
    words = {"total_words": model.corpus_total_words, "total_examples": model.corpus_count}
    return lambda: model.train(corpus_file=str(path), epochs=1, **words)


def speed(path):
    """Words a second of training, the reading of the file included."""
    n_words = len(path.read_bytes().split())
    print(f"{'words a second':32s}{'ours':>12s}{'gensim':>12s}{'its time / ours':>18s}")
    for architecture in ARCHITECTURES:
        for n_threads in (1, 2):
            functions = {update: ours(path, architecture, update, n_threads) for update in ("hogwild", "deterministic")}
            functions["gensim"] = peers(path, architecture, n_threads)
            times = harness.interleave(functions, repeats=ROUNDS, inner=1)
            for update in ("hogwild", "deterministic"):
                name = f"{architecture}, {update}, {n_threads} threads"
                rates = "".join(f"{n_words / times[side]:12,.0f}" for side in (update, "gensim"))
                print(f"{name:32s}{rates}{times['gensim'] / times[update]:17.2f}x", flush=True)


def scan(path):
    """Words a second of counting them."""
    from gensim.models import Word2Vec

    n_words = len(path.read_bytes().split())
    functions = {
        "ours": lambda: nj.text.Vocabulary.from_sentences(nj.text.LineSentences(path), min_count=5),
        "gensim": lambda: Word2Vec().build_vocab(corpus_file=str(path)),
    }
    times = harness.interleave(functions, repeats=ROUNDS, inner=1)
    rates = "".join(f"{n_words / times[side]:12,.0f}" for side in ("ours", "gensim"))
    print(f"{'vocabulary scan':32s}{rates}{times['gensim'] / times['ours']:17.2f}x", flush=True)


def quality(path, epochs, seeds):
    """Analogies (the first 30,000 words) and WordSim-353 after training, mean over seeds."""
    data = Path(os.environ["NEUROJIT_DATA"])
    scores = {}
    for seed in seeds:
        model = nj.Word2Vec(epochs=epochs, random_state=seed).fit(nj.text.LineSentences(path))
        found = model.keyed_vectors_
        analogies = found.evaluate_word_analogies(data / "questions-words.txt", restrict_vocab=RESTRICT).accuracy
        pairs = found.evaluate_word_pairs(data / "wordsim353.tsv").spearman
        scores.setdefault("ours", []).append((analogies, pairs))
        scores.setdefault("gensim", []).append(_peers_quality(path, epochs, seed, data))
        for side, values in scores.items():
            print(f"seed {seed}, {side}: analogies {values[-1][0]:.4f}, Spearman {values[-1][1]:.4f}", flush=True)
    for side, values in scores.items():
        means = "analogies {:.4f}, Spearman {:.4f}".format(*np.mean(values, axis=0))
        print(f"{epochs} epochs of {path.stat().st_size / 1e6:.0f} MB, {side}, mean: {means}", flush=True)


def _peers_quality(path, epochs, seed, data):
    from gensim.models import Word2Vec

    model = Word2Vec(sg=1, workers=2, epochs=epochs, seed=seed, corpus_file=str(path))
    analogies = model.wv.evaluate_word_analogies(str(data / "questions-words.txt"), restrict_vocab=RESTRICT)[0]
    return analogies, model.wv.evaluate_word_pairs(str(data / "wordsim353.tsv"))[1].statistic


def peak_memory(path):
    """Print megabytes held by interpreter and libraries, at the peak of a training, and by its two matrices; Linux."""
    small = Path(path).with_name("small.txt")
    small.write_text("a b c d e " * 2000)
    nj.Word2Vec(epochs=1).fit(nj.text.LineSentences(small))  # loads and compiles
    before = _held()
    model = nj.Word2Vec(epochs=1, random_state=0).fit(nj.text.LineSentences(path))
    print(f"{before / 1024:.0f} {_held() / 1024:.0f} {model.vectors_.size * 8 / 2**20:.0f}")


def _held():
    """Kilobytes this process held at most."""
    return int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0])


def memory(path):
    """Peak memory of a training in a process of its own."""
    call = f"from benchmarks.bench_word2vec import peak_memory; peak_memory({str(path)!r})"
    output = subprocess.run([sys.executable, "-c", call], check=True, capture_output=True, text=True).stdout
    before, peak, matrices = output.split()
    print(
        f"peak memory while streaming: {peak} MB; interpreter, libraries and a small training before: {before} MB;",
        end=" ",
    )
    print(f"vocabulary x size x 8 bytes: {matrices} MB", flush=True)


def main(seeds=(1,), whole=False):
    with tempfile.TemporaryDirectory() as folder:
        path = corpus(folder, TIMED)
        speed(path)
        scan(path)
        memory(path)
        quality(path, 5, seeds)
        if whole:
            quality(corpus(folder, None), 1, seeds)


if __name__ == "__main__":
    main(seeds=(1, 2, 3), whole=True)

"""Word vectors beside gensim: words a second, the vocabulary's scan, peak memory.

The text is English Wikipedia in sentences of 1,000 words. Each side reads it from the same file, gensim by
`corpus_file`, its fastest way. Settings are gensim's defaults: size 100, window 5, negative 5, sample 1e-3, min_count
5. How good the vectors are: ``python -m benchmarks word2vec_results``.
"""

import gzip
import subprocess
import sys
import tempfile
from pathlib import Path

import neurojit as nj
from benchmarks import harness

SENTENCE = 1000
TIMED = 10_000_000  # characters of text in a timed turn
PART = 20_000_000  # and where memory is looked at
ROUNDS = 3
ARCHITECTURES = {"skip-gram": 1, "cbow": 0}


def corpus(folder, characters):
    """A file of the text's first characters (None for all of it), a sentence a line."""
    with gzip.open(harness.data_file("enwiki2015_text8style.txt.gz"), "rt", encoding="utf-8") as file:
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


def speed(path, record):
    """Words a second of training, the reading of the file included."""
    n_words = len(path.read_bytes().split())
    for architecture in ARCHITECTURES:
        for n_threads in (1, 2):
            functions = {update: ours(path, architecture, update, n_threads) for update in ("hogwild", "deterministic")}
            functions["gensim"] = peers(path, architecture, n_threads)
            times = harness.interleave(functions, repeats=ROUNDS, inner=1)
            for update in ("hogwild", "deterministic"):
                turns = {"ours": times[update], "gensim": times["gensim"]}
                record.rate(f"{architecture}, {update}, {n_threads} threads", turns, n_words, "words/s")


def scan(path, record):
    """Words a second of counting them."""
    from gensim.models import Word2Vec

    n_words = len(path.read_bytes().split())
    functions = {
        "ours": lambda: nj.text.Vocabulary.from_sentences(nj.text.LineSentences(path), min_count=5),
        "gensim": lambda: Word2Vec().build_vocab(corpus_file=str(path)),
    }
    times = harness.interleave(functions, repeats=ROUNDS, inner=1)
    record.rate("vocabulary scan", times, n_words, "words/s")


def libraries_memory(path):
    """Print megabytes held by Numba, scikit-learn and a compiled function that does nothing: no estimator has less."""
    import numba
    import sklearn.base  # noqa: F401

    numba.njit(cache=True)(_nothing)()
    print(_held("VmHWM"))


def _nothing():
    pass


def peak_memory(path):
    """Print megabytes held after a small training, at the peak of a training, of it mapped files; of the vectors."""
    small = Path(path).with_name("small.txt")
    small.write_text("a b c d e " * 2000)
    nj.Word2Vec(epochs=1).fit(nj.text.LineSentences(small))
    held = _held("VmHWM")
    model = nj.Word2Vec(epochs=1, random_state=0).fit(nj.text.LineSentences(path))
    print(held, _held("VmHWM"), _held("RssFile"), model.vectors_.size * 8 >> 20)


def peers_peak_memory(path):
    """Print megabytes that gensim's training held at the peak."""
    from gensim.models import Word2Vec

    Word2Vec(sg=1, epochs=1, workers=2, corpus_file=path)
    print(_held("VmHWM"))


def _held(what):
    """Megabytes this process holds, by a line of Linux's account; VmHWM is the most it ever held."""
    return int(Path("/proc/self/status").read_text().split(f"{what}:")[1].split()[0]) >> 10


def _alone(function, path):
    """The numbers that one of this module's functions prints in a process of its own."""
    call = f"from benchmarks.bench_word2vec import {function}; {function}({str(path)!r})"
    output = subprocess.run([sys.executable, "-c", call], check=True, capture_output=True, text=True).stdout
    return [int(number) for number in output.split()]


def memory(path, record):
    """Peak memory of a training that reads a file, in processes of their own."""
    for function in ("peak_memory", "libraries_memory"):
        _alone(function, path)  # so that nothing is compiled in the next
    small, peak, files, vectors = _alone("peak_memory", path)
    (peers,), (libraries,) = _alone("peers_peak_memory", path), _alone("libraries_memory", path)
    record.add(f"peak memory while streaming {path.stat().st_size / 1e6:.0f} MB", peak, "MB", peers)
    record.note(
        f"of our peak, {small} MB after a training of five words, {files} MB mapped files, the libraries' code; numba,"
        f" scikit-learn and a function that does nothing {libraries} MB; vocabulary x size x 8 bytes {vectors} MB"
    )


def main(record):
    with tempfile.TemporaryDirectory() as folder:
        path = corpus(folder, TIMED)
        speed(path, record)
        scan(path, record)
        memory(corpus(folder, PART), record)

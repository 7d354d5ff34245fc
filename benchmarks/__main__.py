"""Time neurojit beside its peers and print one table: ``python -m benchmarks``, or some families of it by name."""

import argparse
import importlib
import time
from pathlib import Path

from benchmarks import harness
from benchmarks.recorder import Recorder

# What a run without names takes, less than twenty minutes together on two cores.
TIMED = {
    "conv": "convolution forward and gradients beside PyTorch",
    "conv_variants": "depthwise, grouped, transposed, causal, 3-D, deformable and binary convolution",
    "pool": "pooling beside PyTorch",
    "norm": "normalization beside PyTorch",
    "ctc": "the CTC loss beside PyTorch",
    "recurrent": "recurrent layers beside PyTorch: forward, backward, a step of a stream",
    "convnet": "a LeNet epoch on MNIST beside PyTorch, and its peak memory",
    "resnet": "ResNet-18 on a single image beside PyTorch",
    "word2vec": "word vectors beside gensim: words a second, scan, memory",
    "reservoirs": "reservoirs beside reservoirpy: states, batches, fits, memory",
    "start": "import, first batch and demo, with cold and warm kernel caches",
    "compile": "first calls of a process, with cold and warm kernel caches",
}
# What is learned, not how fast: these print tables of their own.
ON_REQUEST = {
    "accuracy": "the default networks on digits, MNIST and Fashion-MNIST",
    "cuda": "an NVIDIA GPU beside PyTorch, CuPy and the floor; says so where there is none",
    "language_model": "character models of tinyshakespeare beside PyTorch, and their bits a character",
    "long_memory": "copy memory by a TCN and an LSTM; temporal order with and without a penalty on vanishing gradients",
    "recurrent_results": "recurrent networks on tasks of the literature",
    "reservoir_results": "reservoirs on tasks of the literature, five seeds",
    "word2vec_results": "analogies and similarities of word vectors beside gensim's, three seeds",
}


def parser():
    found = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    found.formatter_class = argparse.RawDescriptionHelpFormatter
    found.epilog = (
        f"timed families, all of them by default, in twenty minutes:\n{_listed(TIMED)}\n\n"
        f"families of results, on request alone, since they take up to some hours:\n{_listed(ON_REQUEST)}\n\n"
        "Some read data sets from the folder that the environment variable NEUROJIT_DATA names.\n"
        "A ratio above 1 is better than the peer; a share of the floor is of what the machine can do at best."
    )
    found.add_argument("families", nargs="*", metavar="family")
    found.add_argument("--json", metavar="FILE", type=_place, help="write rows, date, versions and vector registers")
    found.add_argument("--plot", metavar="FILE", type=_place, help="draw the ratios to the peers to this PNG file")
    return found


def _listed(families):
    return "\n".join(f"  {name:18s}{what}" for name, what in families.items())


def _place(path):
    if not Path(path).absolute().parent.is_dir() or Path(path).is_dir():
        raise argparse.ArgumentTypeError(f"got {path!r}, wanted a file in a folder that exists")
    return path


def main(arguments=None):
    given = parser()
    arguments = given.parse_args(arguments)
    for name in arguments.families:
        if name not in TIMED | ON_REQUEST:
            given.error(f"family: got {name!r}, wanted one of {', '.join(TIMED | ON_REQUEST)}")
    print(harness.machine(), flush=True)
    recorder = Recorder()
    try:
        for name in arguments.families or TIMED:
            run(name, recorder)
    finally:  # an interrupt leaves what was measured so far
        if recorder.rows:
            print(f"\n{recorder.table()}")
        if arguments.json:
            recorder.write_json(arguments.json)
        if arguments.plot:
            recorder.write_plot(arguments.plot)


def run(name, recorder):
    """One family, or a note on what it lacks: a peer that is not installed, data that is not there."""
    recorder.begin(name)
    started = time.perf_counter()
    try:
        module = importlib.import_module(f"benchmarks.bench_{name}")
        if name in TIMED:
            module.main(recorder)
        else:
            print(f"\n== {name}: {ON_REQUEST[name]}\n")
            module.main()
    except (ImportError, FileNotFoundError) as error:
        recorder.note(f"left out, {error}")
    recorder.seconds[name] = round(time.perf_counter() - started, 1)


if __name__ == "__main__":
    main()

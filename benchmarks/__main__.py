"""Run benchmark families and print their tables: ``python -m benchmarks conv convnet``."""

import argparse
import importlib

from benchmarks import harness

FAMILIES = {
    "conv": "convolution forward and gradients beside PyTorch",
    "pool": "pooling beside PyTorch",
    "norm": "normalization beside PyTorch",
    "conv_variants": "depthwise, grouped, transposed, causal, 3-D, deformable and binary convolution",
    "ctc": "the CTC loss beside PyTorch",
    "convnet": "a LeNet epoch on MNIST beside PyTorch, and its peak memory",
    "resnet": "ResNet-18 on a single image beside PyTorch",
    "accuracy": "the default networks on digits, MNIST and Fashion-MNIST",
    "word2vec": "word vectors beside gensim: words a second, scan, memory",
    "word2vec_results": "analogies and similarities of word vectors beside gensim's, three seeds",
    "reservoirs": "reservoirs beside reservoirpy: states, batches, fits, memory",
    "reservoir_results": "reservoirs on tasks of the literature, five seeds",
    "recurrent": "recurrent layers beside PyTorch: forward, backward, a step of a stream",
    "language_model": "character models of tinyshakespeare beside PyTorch, and their bits a character",
    "recurrent_results": "recurrent networks on tasks of the literature",
    "long_memory": "copy memory by a TCN and an LSTM; temporal order with and without a penalty on vanishing gradients",
    "start": "import, first batch and demo, with cold and warm kernel caches",
}


def main():
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    names = "\n".join(f"  {name:18s}{what}" for name, what in FAMILIES.items())
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = f"families (all of them by default):\n{names}"
    parser.add_argument("families", nargs="*", metavar="family")
    arguments = parser.parse_args()
    for name in arguments.families:
        if name not in FAMILIES:
            parser.error(f"family: got {name!r}, wanted one of {', '.join(FAMILIES)}")
    print(harness.machine())
    for name in arguments.families or FAMILIES:
        print(f"\n== {name}: {FAMILIES[name]}\n")
        importlib.import_module(f"benchmarks.bench_{name}").main()


if __name__ == "__main__":
    main()

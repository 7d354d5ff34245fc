"""How good word vectors are beside gensim's: analogies and similarities, mean of three seeds; half an hour.

Text and settings are those of `bench_word2vec`; scores are the share of right answers to questions-words among the
30,000 most frequent words, and Spearman's correlation with WordSim-353.

With `corpus_file` gensim lowers the learning rate by the words that one worker has seen, as a share of all words
(`get_next_alpha` in its word2vec_corpusfile.pyx). Only a single worker thus comes down to the last rate: two of them
end an epoch half way, and learn half as much again where there is one epoch. So gensim has one worker here, and in the
last rows, which look at one epoch, two, beside ours with half way for a last rate.

``python -m benchmarks.bench_word2vec_results skip-gram`` or ``cbow`` runs one architecture alone.
"""

import os
import sys
import tempfile
from pathlib import Path

import numpy as np

import neurojit as nj
from benchmarks.bench_word2vec import ARCHITECTURES, PART, corpus

SEEDS = (1, 2, 3)
RESTRICT = 30_000
HALF_WAY = (0.025 + 1e-4) / 2


def ours(update="deterministic", last_rate=1e-4):
    """From a file, an architecture, epochs and a seed to the scores of vectors trained so."""

    def scores(path, architecture, epochs, seed):
        options = {"architecture": architecture, "update": update, "epochs": epochs, "random_state": seed}
        model = nj.Word2Vec(min_learning_rate=last_rate, **options).fit(nj.text.LineSentences(path))
        found, (questions, pairs) = model.keyed_vectors_, _people_say()
        analogies = found.evaluate_word_analogies(questions, restrict_vocab=RESTRICT).accuracy
        return analogies, found.evaluate_word_pairs(pairs).spearman

    return scores


def peers(workers):
    """The same by gensim."""

    def scores(path, architecture, epochs, seed):
        from gensim.models import Word2Vec

        options = {"sg": ARCHITECTURES[architecture], "epochs": epochs, "seed": seed}
        found, (questions, pairs) = Word2Vec(corpus_file=str(path), workers=workers, **options).wv, _people_say()
        analogies = found.evaluate_word_analogies(questions, restrict_vocab=RESTRICT)[0]
        return analogies, found.evaluate_word_pairs(pairs)[1].statistic

    return scores


def _people_say():
    """The files of analogies and of similarities."""
    folder = Path(os.environ["NEUROJIT_DATA"])
    return str(folder / "questions-words.txt"), str(folder / "wordsim353.tsv")


def compare(path, architecture, epochs, sides):
    """Print the scores of each side for each seed, and their means."""
    what = f"{architecture}, {epochs} epochs of {path.stat().st_size / 1e6:.0f} MB"
    for side, scores in sides.items():
        found = []
        for seed in SEEDS:
            found.append(scores(path, architecture, epochs, seed))
            print(_row(what, f"{side}, seed {seed}", found[-1]), flush=True)
        print(_row(what, f"{side}, mean", np.mean(found, axis=0)), flush=True)


def _row(what, side, scores):
    return "{}, {}: analogies {:.4f}, Spearman {:.4f}".format(what, side, *scores)


def main(architectures=tuple(ARCHITECTURES)):
    usual = {"ours": ours(), "ours, hogwild": ours("hogwild"), "gensim": peers(1)}
    half_way = {"ours, to half the rate": ours(last_rate=HALF_WAY), "gensim, two workers": peers(2)}
    with tempfile.TemporaryDirectory() as folder:
        for characters, epochs, sides in ((PART, 5, usual), (None, 1, usual), (None, 1, half_way)):
            path = corpus(folder, characters)
            for architecture in architectures:
                compare(path, architecture, epochs, sides)


if __name__ == "__main__":
    main(sys.argv[1:] or tuple(ARCHITECTURES))

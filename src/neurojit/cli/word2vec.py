"""`neurojit word2vec`: train word vectors on a text file, and ask them."""

import time
from pathlib import Path

import neurojit as nj

_TRAINED = (
    "vector_size",
    "window",
    "min_count",
    "architecture",
    "objective",
    "negative",
    "sample",
    "learning_rate",
    "epochs",
)


def add_commands(commands, positive, natural):
    """Add ``word2vec`` and what it can do to the parser's commands.

    Parameters
    ----------
    commands : argparse subparsers
    positive, natural : callable
        From a word of the command line to an integer of at least 1, and of at least 0.
    """
    word2vec = commands.add_parser("word2vec", help="train word vectors and ask them")
    actions = word2vec.add_subparsers(dest="action", required=True, metavar="ACTION")
    _add_train(actions, positive, natural)

    similar = actions.add_parser("similar", help="the words most similar to one")
    similar.add_argument("vectors", metavar="VECTORS", help="a file that train wrote")
    similar.add_argument("words", nargs=1, metavar="WORD")
    analogy = actions.add_parser("analogy", help="what is to C as B is to A")
    analogy.add_argument("vectors", metavar="VECTORS")
    analogy.add_argument("words", nargs=3, metavar=("A", "B", "C"))
    for parser in (similar, analogy):
        parser.add_argument("--topn", type=positive, default=10, metavar="N", help="words to show (default: 10)")
        parser.set_defaults(run=_ask)

    evaluate = actions.add_parser("evaluate", help="answer analogy questions, compare similarities with people's")
    evaluate.add_argument("vectors", metavar="VECTORS")
    evaluate.add_argument("--analogies", metavar="FILE", help="four words a line, ': name' begins a section")
    evaluate.add_argument("--pairs", metavar="FILE", help="word, word and number a line, between tabs")
    evaluate.add_argument(
        "--restrict-vocab",
        type=positive,
        default=300_000,
        metavar="N",
        help="most frequent words alone (default: 300000)",
    )
    evaluate.set_defaults(run=_evaluate)


def _add_train(actions, positive, natural):
    train = actions.add_parser("train", help="train on a text file, a sentence a line")
    train.add_argument("corpus", metavar="CORPUS", help="UTF-8 text, .gz or not")
    train.add_argument(
        "--output",
        required=True,
        metavar="FILE",
        help="where the vectors go: .safetensors; .bin or .txt[.gz] for word2vec's",
    )
    train.add_argument("--vector-size", type=positive, default=100, metavar="N")
    train.add_argument("--window", type=positive, default=5, metavar="N")
    train.add_argument("--min-count", type=positive, default=5, metavar="N")
    train.add_argument("--architecture", choices=("skip-gram", "cbow"), default="skip-gram")
    train.add_argument(
        "--objective", choices=("negative-sampling", "softmax", "hierarchical-softmax"), default="negative-sampling"
    )
    train.add_argument("--negative", type=positive, default=5, metavar="N")
    train.add_argument("--sample", type=float, default=1e-3, metavar="SHARE")
    train.add_argument("--learning-rate", type=float, default=0.025, metavar="RATE")
    train.add_argument("--epochs", type=positive, default=5, metavar="N")
    train.add_argument(
        "--hogwild",
        action="store_true",
        help="train without copies and locks: on several threads no two runs are the same",
    )
    train.add_argument("--threads", type=positive, metavar="N")
    train.add_argument("--seed", type=natural, default=0, metavar="N")
    train.set_defaults(run=_train)


def _train(options):
    output = Path(options.output)
    if not output.absolute().parent.is_dir() or output.is_dir():
        raise FileNotFoundError(f"--output: got {options.output!r}, wanted a file in a folder that exists")
    model = nj.Word2Vec(
        **{name: getattr(options, name) for name in _TRAINED},
        update="hogwild" if options.hogwild else "deterministic",
        n_threads=options.threads,
        random_state=options.seed,
        verbose=1,
    )
    started = time.perf_counter()
    model.fit(nj.text.LineSentences(options.corpus))
    rates = [record["words_per_second"] for record in model.history_]
    vocabulary = model.vocabulary_
    print(f"words      {len(vocabulary):,} different, {vocabulary.counts.sum():,} in all")
    print(f"loss       {model.loss_curve_[-1]:.4f} a pair in the last epoch")
    print(f"speed      {sum(rates) / len(rates):,.0f} words/s, {time.perf_counter() - started:.1f} s in all")
    _write(model.keyed_vectors_, output)
    print(f"saved      {output}")


def _write(vectors, path):
    """Write vectors in the format that the name ends in."""
    kind = _kind(path)
    if kind == "own":
        vectors.save(path)
    else:
        vectors.save_word2vec_format(path, binary=kind == "binary")


def _read(path):
    kind = _kind(Path(path))
    if kind == "own":
        return nj.text.KeyedVectors.load(path, memory_map=True)
    return nj.text.KeyedVectors.load_word2vec_format(path, binary=kind == "binary")


def _kind(path):
    ending = path.with_suffix("").suffix if path.suffix == ".gz" else path.suffix
    return {".safetensors": "own", ".bin": "binary"}.get(ending, "text")


def _ask(options):
    vectors = _read(options.vectors)
    missing = [word for word in options.words if word not in vectors]
    if missing:
        raise ValueError(f"WORD: got {', '.join(missing)}, wanted words that were trained on")
    if options.action == "analogy":
        found = vectors.analogy(*options.words, topn=options.topn)
    else:
        found = vectors.most_similar(options.words, topn=options.topn)
    for word, cosine in found:
        print(f"{word:<24} {cosine:.4f}")


def _evaluate(options):
    if not (options.analogies or options.pairs):
        raise ValueError("evaluate: got no file, wanted --analogies, --pairs or both")
    vectors = _read(options.vectors)
    if options.analogies:
        scores = vectors.evaluate_word_analogies(options.analogies, options.restrict_vocab)
        for name, (right, asked) in scores.sections.items():
            print(f"{name:<32} {_percent(right, asked)}  {right} of {asked}")
        right, asked = (sum(counts) for counts in zip(*scores.sections.values(), strict=True))
        print(
            f"{'all analogies':<32} {_percent(right, asked)}  {right} of {asked}, {scores.skipped} with unknown words"
        )
    if options.pairs:
        scores = vectors.evaluate_word_pairs(options.pairs, options.restrict_vocab)
        print(f"pairs: Pearson {scores.pearson:.4f}, Spearman {scores.spearman:.4f}, {scores.oov_share:.1%} unknown")


def _percent(right, asked):
    return f"{right / asked:6.1%}" if asked else "     -"

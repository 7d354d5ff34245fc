"""`neurojit word2vec`: train word vectors on a text file, and ask them."""

import time
from pathlib import Path

import neurojit as nj
from neurojit.cli.parsers import add_command, natural, positive

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

_NUMBERS = (
    ("--vector-size", positive, 100, "N", "numbers in a vector"),
    ("--window", positive, 5, "N", "words to each side that count as around a word"),
    ("--min-count", positive, 5, "N", "leave out words seen less often"),
    ("--negative", positive, 5, "N", "words drawn against each true one"),
    ("--sample", float, 1e-3, "SHARE", "drop part of words above this share of the text; 0: none"),
    ("--learning-rate", float, 0.025, "RATE", "of the first step; it falls from there"),
    ("--epochs", positive, 5, "N", "passes over the text"),
)
_ASKED = (
    "neurojit word2vec similar vectors.safetensors king",
    "neurojit word2vec analogy vectors.safetensors man king woman",
)
_VECTORS = "a file that train wrote, or one of word2vec's (.bin, .txt, .gz)"


def add_commands(commands):
    """Add ``word2vec`` and what it can do to the parser's commands.

    Parameters
    ----------
    commands : argparse subparsers
    """
    word2vec = add_command(
        commands,
        "word2vec",
        "train word vectors and ask them",
        "Train word vectors on a text, find similar words, solve analogies, and evaluate them.\n"
        "`neurojit word2vec ACTION --help` tells more of an action.",
        ("neurojit word2vec train text.txt --output vectors.safetensors", *_ASKED),
    )
    actions = word2vec.add_subparsers(dest="action", required=True, metavar="ACTION")
    _add_train(actions)

    similar = add_command(
        actions, "similar", "the words most similar to one", "List the words most similar to one.", _ASKED[:1]
    )
    similar.add_argument("vectors", metavar="VECTORS", help=_VECTORS)
    similar.add_argument("words", nargs=1, metavar="WORD", help="one that was trained on")
    analogy = add_command(
        actions, "analogy", "what is to C as B is to A", "List what is to C as B is to A.", _ASKED[1:]
    )
    analogy.add_argument("vectors", metavar="VECTORS", help=_VECTORS)
    analogy.add_argument("words", nargs=3, metavar="WORD", help="A, B and C, which were trained on")
    for parser in (similar, analogy):
        parser.add_argument("--topn", type=positive, default=10, metavar="N", help="words to show (default: 10)")
        parser.set_defaults(run=_ask)

    evaluate = add_command(
        actions,
        "evaluate",
        "answer analogy questions, compare similarities with people's",
        "Answer a file of analogy questions, and compare similarities with those people gave.",
        ("neurojit word2vec evaluate vectors.safetensors --analogies questions-words.txt",),
    )
    evaluate.add_argument("vectors", metavar="VECTORS", help=_VECTORS)
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


def _add_train(actions):
    train = add_command(
        actions,
        "train",
        "train on a text file, a sentence a line",
        "Count the words of a text and train their vectors: skip-gram or CBOW, with negative\n"
        "sampling, the full softmax or hierarchical softmax.",
        (
            "neurojit word2vec train text.txt --output vectors.safetensors",
            "neurojit word2vec train text.txt.gz --output vectors.bin --vector-size 300 --hogwild",
        ),
    )
    train.add_argument("corpus", metavar="CORPUS", help="UTF-8 text, .gz or not")
    train.add_argument(
        "--output",
        required=True,
        metavar="FILE",
        help="where the vectors go: .safetensors; .bin or .txt[.gz] for word2vec's",
    )
    for flag, parse, default, metavar, meaning in _NUMBERS:
        train.add_argument(flag, type=parse, default=default, metavar=metavar, help=f"{meaning} (default: {default})")
    train.add_argument(
        "--architecture",
        choices=("skip-gram", "cbow"),
        default="skip-gram",
        help="words around from a word, or a word from those around (default: skip-gram)",
    )
    train.add_argument(
        "--objective",
        choices=("negative-sampling", "softmax", "hierarchical-softmax"),
        default="negative-sampling",
        help="what the vectors are trained for (default: negative-sampling)",
    )
    train.add_argument(
        "--hogwild",
        action="store_true",
        help="train without copies and locks: on several threads no two runs are the same",
    )
    train.add_argument("--threads", type=positive, metavar="N", help="threads to compute on (default: all)")
    train.add_argument("--seed", type=natural, default=0, metavar="N", help="random seed (default: 0)")
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

"""How good word vectors are: analogies, and similarities beside those that people gave."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

_QUESTIONS = 128  # answered at a time


class AnalogyScores(NamedTuple):
    """Answers to analogy questions: share right, questions left out, and (right, asked) for each section."""

    accuracy: float
    skipped: int
    sections: dict


class PairScores(NamedTuple):
    """Correlations of similarities with people's, and the share of pairs that have an unknown word."""

    pearson: float
    spearman: float
    oov_share: float


class EvaluatedVectors:
    """What of `KeyedVectors` says how good they are."""

    def evaluate_word_analogies(self, path, restrict_vocab=300_000, case_insensitive=True):
        """How many questions "a is to b as c is to d" of a file are answered rightly.

        Parameters
        ----------
        path : str or os.PathLike
            Four words a line; ``: name`` begins a section.
        restrict_vocab : int or None, default=300000
            Leave out questions with other than so many first (most frequent) words, and look for answers there.
        case_insensitive : bool, default=True
            Whether to compare words in upper case; of words that differ in case alone, the first counts.

        Returns
        -------
        AnalogyScores
            ``accuracy``, ``skipped`` (questions with unknown words), and ``sections``: for each name (right, asked).

        Raises
        ------
        FileNotFoundError
            If there is no such file.
        ValueError
            If a line has not four words.
        """
        return _word_analogies(self, path, restrict_vocab, case_insensitive)

    def evaluate_word_pairs(self, path, restrict_vocab=300_000, case_insensitive=True, delimiter="\t"):
        r"""How well similarities agree with those that people gave to pairs of words.

        Parameters
        ----------
        path : str or os.PathLike
            Word, word and number a line; lines that begin with # are left out.
        restrict_vocab : int or None, default=300000
        case_insensitive : bool, default=True
            Both as in `evaluate_word_analogies`.
        delimiter : str, default="\t"

        Returns
        -------
        PairScores
            ``pearson``, ``spearman``, and ``oov_share``, the share of pairs with an unknown word, which are left out.

        Raises
        ------
        FileNotFoundError
            If there is no such file.
        ValueError
            If a line is of another form, or fewer than two pairs are known.
        """
        return _word_pairs(self, path, restrict_vocab, case_insensitive, delimiter)


def _word_analogies(keyed, path, restrict_vocab, case_insensitive):
    """The questions of a file, by 3CosAdd (Mikolov, Chen, Corrado and Dean 2013, section 4.1).

    A question "a b c d" is answered rightly if d is the word most similar to b - a + c, of unit vectors, other than
    these three. Questions with a word that is not known are left out.
    """
    fold = str.upper if case_insensitive else str
    numbers = _numbers(keyed, restrict_vocab, fold)
    sections, skipped = {}, 0
    for name, questions in _questions(path, fold).items():
        known = np.array([[numbers.get(word, -1) for word in question] for question in questions], np.int64)
        known = known.reshape(-1, 4)
        asked = known[(known >= 0).all(axis=1)]
        skipped += len(known) - len(asked)
        sections[name] = (_right(keyed, asked, restrict_vocab, fold, numbers), len(asked))
    asked = sum(n for _, n in sections.values())
    return AnalogyScores(sum(right for right, _ in sections.values()) / asked if asked else 0.0, skipped, sections)


def _numbers(keyed, restrict_vocab, fold):
    """From folded word to number; of words that fold to one, the first."""
    words = keyed.words[:restrict_vocab]
    return {fold(words[i]): i for i in range(len(words) - 1, -1, -1)}


def _questions(path, fold):
    sections, name = {}, ""
    for i, line in _lines(path):
        if line.startswith(":"):
            name = line[1:].strip()
            continue
        words = [fold(word) for word in line.split()]
        if len(words) != 4:
            raise ValueError(
                f"path: got {str(path)!r} with {line[:40]!r} in line {i}, wanted four words or ': section'"
            )
        sections.setdefault(name, []).append(words)
    return sections


def _right(keyed, asked, restrict_vocab, fold, numbers):
    """How many questions are answered rightly."""
    units = keyed.vectors[:restrict_vocab] / keyed.lengths[:restrict_vocab, None]
    first = np.array([numbers[fold(word)] for word in keyed.words[:restrict_vocab]], np.int64)
    right = 0
    for start in range(0, len(asked), _QUESTIONS):
        a, b, c, d = asked[start : start + _QUESTIONS].T
        scores = (units[b] - units[a] + units[c]) @ units.T
        rows = np.arange(len(a))
        scores[:, first != np.arange(len(first))] = -np.inf  # stands for another spelling
        for word in (a, b, c):
            scores[rows, word] = -np.inf
        right += int(np.count_nonzero(scores.argmax(axis=1) == d))
    return right


def _word_pairs(keyed, path, restrict_vocab, case_insensitive, delimiter):
    """Correlations of cosines with the numbers of a file."""
    from scipy import stats

    fold = str.upper if case_insensitive else str
    numbers = _numbers(keyed, restrict_vocab, fold)
    pairs, people = [], []
    for i, line in _lines(path):
        if line.startswith("#"):
            continue
        try:
            first, second, number = line.split(delimiter)
            people.append(float(number))
        except ValueError as error:
            raise ValueError(
                f"path: got {str(path)!r} with {line[:40]!r} in line {i},"
                f" wanted word, word and number between {delimiter!r}"
            ) from error
        pairs.append([numbers.get(fold(word.strip()), -1) for word in (first, second)])
    pairs = np.array(pairs, np.int64).reshape(-1, 2)
    known = (pairs >= 0).all(axis=1)
    if np.count_nonzero(known) < 2:
        raise ValueError(
            f"path: got {str(path)!r} with {np.count_nonzero(known)} pairs of known words, wanted two or more"
        )
    first, second = (keyed.vectors[i] / keyed.lengths[i, None] for i in pairs[known].T)
    ours, theirs = np.einsum("ij,ij->i", first, second), np.array(people)[known]
    pearson, spearman = stats.pearsonr(theirs, ours).statistic, stats.spearmanr(theirs, ours).statistic
    return PairScores(float(pearson), float(spearman), float(1 - known.mean()))


def _lines(path):
    """The lines of a text file that have something in them, numbered from 1."""
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"path: got {str(path)!r}, wanted a file that exists")
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except UnicodeDecodeError as error:
        raise ValueError(f"path: got {str(path)!r} that is not UTF-8 text ({error})") from error
    return [(i, line.strip()) for i, line in enumerate(lines, 1) if line.strip()]

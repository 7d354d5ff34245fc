"""Training word vectors: on the device, and by the plain Python of the reference with the device's draws."""

import dataclasses

import numpy as np

from neurojit.core.random import Key
from neurojit.text.device_training import DeviceWordVectorTraining
from neurojit.text.training import Objective
from tests.reference import word2vec as reference

COUNTS = np.array([9, 7, 5, 4, 4, 3, 2, 2])
TEXT = np.array([0, 1, 2, -1, 4, 0, 5, 1, 6, -1, 7, -1], np.int32)
KEY = Key(5)


class Windows(reference.Reference):
    """The reference, where each window has draws of its own, named by its token's place in the text."""

    def rows(self, tokens, block, number, key):
        o = self.objective
        groups = 2 * o.window if o.architecture == "skip-gram" and not o.shared_negatives else 1
        draws = key.child(2).words(2 * len(tokens) * groups * o.negative)
        return [[self.group(tokens[p], p * groups + g, draws) for g in range(groups)] for p in block]

    def group(self, token, number, draws):
        threshold, alias = self.noise
        found = [token]
        for i in range(number * self.objective.negative, (number + 1) * self.objective.negative):
            column = reference.below(draws[2 * i], len(self.counts))
            row = column if int(draws[2 * i + 1]) < threshold[column] else alias[column]
            if row not in (token, *(~f for f in found[1:])):
                found.append(~row)
        return found


class Sums(Windows):
    """The steps of so many windows, all at the same vectors, are summed up."""

    together = 3

    def train(self, tokens, block, number, copy, rate, key):
        loss, pairs, whole = 0.0, 0, self.block
        self.block = 1  # so that a token's number names its draws
        for first in range(block.start, block.stop, self.together):
            before, steps = [matrix.copy() for matrix in copy], [np.zeros_like(matrix) for matrix in copy]
            for p in range(first, min(first + self.together, block.stop)):
                own = [matrix.copy() for matrix in before]
                part, n, _ = super().train(tokens, range(p, p + 1), p, own, rate, key)
                loss, pairs = loss + part, pairs + n
                for step, new, old in zip(steps, own, before, strict=True):
                    step += new - old
            for matrix, old, step in zip(copy, before, steps, strict=True):
                matrix[...] = old + step
        self.block = whole
        return loss, pairs, (dict.fromkeys(range(len(self.counts)), 1),) * 2


@dataclasses.dataclass(frozen=True)
class Words:
    """Two epochs over a text."""

    name: str
    objective: Objective
    size: int = 7
    text: np.ndarray = dataclasses.field(default_factory=lambda: TEXT)
    tolerance: float = 1e-5

    def __str__(self):
        return f"word2vec {self.name}"

    def run(self, dtype, move):
        training = DeviceWordVectorTraining(COUNTS, self.size, self.objective, KEY, dtype)
        if move is np.array:
            return self._expected(training, dtype)
        training.walkers = Sums.together if self.objective.update == "deterministic" else 1
        totals = [sum(part for _, part, _ in training.run_epoch([self.text], lambda words: 0.2)) for _ in range(2)]
        return [np.array(totals, dtype), *(m[:, : self.size].copy() for m in (training.contexts, training.targets))]

    value = run

    def _expected(self, training, dtype):
        kind = Sums if self.objective.update == "deterministic" else Windows
        slow = kind(COUNTS, training.contexts[:, : self.size], self.objective, KEY)
        totals = [slow.run_epoch(self.text.tolist(), lambda done: 0.2)[0] for _ in range(2)]
        return [matrix.astype(dtype) for matrix in (np.array(totals), slow.contexts, slow.targets)]


def objective(**options):
    return Objective(window=2, negative=3, sample=0.6, **options)


CASES = [
    Words("skip-gram", objective(update="hogwild")),
    Words("skip-gram, negatives apart", objective(update="hogwild", shared_negatives=False)),
    Words("skip-gram, wide", Objective(window=1, negative=2, sample=0, update="hogwild"), 130, TEXT[:4]),
    Words("cbow", objective(architecture="cbow", update="hogwild", shrink_windows=False)),
    Words("skip-gram, summed", objective()),
    Words("cbow, summed", objective(architecture="cbow")),
]

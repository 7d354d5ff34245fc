"""Word vectors in plain Python, with the same random draws: the objective's definition and nothing clever."""

import math

import numpy as np

from neurojit.core.random import Key

BLOCK, CBOW_BLOCK, TREE_BLOCK, SHARDS, REUSE, STIFFNESS = 1000, 2000, 256, 8, 10, 0.1
WORDS = 1024
WHOLE = 2**32


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


def below(word, n):
    return int(word) * n // WHOLE


def alias_table(weights):
    n = len(weights)
    share = [w * n / sum(weights) for w in weights]
    threshold, alias = [WHOLE] * n, list(range(n))
    small, large = [i for i in range(n) if share[i] < 1], [i for i in range(n) if share[i] >= 1]
    while small and large:
        i, j = small.pop(), large[-1]
        threshold[i], alias[i] = int(share[i] * WHOLE), j
        share[j] -= 1 - share[i]
        if share[j] < 1:
            small.append(large.pop())
    return threshold, alias


def kept_tokens(tokens, counts, sample, key):
    words = Key(key).words(len(tokens))
    total = sum(counts)
    kept = []
    for token, word in zip(tokens, words, strict=True):
        ratio = sample * total / counts[token] if sample and token >= 0 else math.inf
        if token < 0 or int(word) < round(min(1.0, math.sqrt(ratio) + ratio) * WHOLE):
            kept.append(token)
    return kept


def window(tokens, p, radius):
    """Positions of the tokens near token p, the nearest on either side first."""
    near = []
    for step in (-1, 1):
        for q in range(p + step, p + step * (radius + 1), step):
            if not 0 <= q < len(tokens) or tokens[q] < 0:
                break
            near.append(q)
    return near


class Reference:
    """What `WordVectorTraining` does, a window at a time, in float64."""

    def __init__(self, counts, start, objective, key, paths=None):
        self.counts, self.objective, self.key = [int(n) for n in counts], objective, key
        self.contexts, self.targets = start.astype(np.float64), np.zeros(start.shape)
        self.paths = paths  # of each word: inner nodes, ~node for label 0
        self.epoch = 0
        self.block = CBOW_BLOCK if objective.architecture == "cbow" else BLOCK
        if paths is not None:
            self.block = TREE_BLOCK
        self.noise = alias_table([n**objective.ns_exponent for n in self.counts])

    def run_epoch(self, tokens, rate):
        o, key = self.objective, self.key.child(1).child(self.epoch)
        self.epoch += 1
        tokens = kept_tokens(tokens, self.counts, o.sample, key.child(0).value)
        size = self.block
        blocks = [range(start, min(start + size, len(tokens))) for start in range(0, len(tokens), size)]
        alone = o.update == "hogwild" or o.objective == "softmax"
        together = 1 if alone else SHARDS
        loss, pairs = 0.0, 0
        for first in range(0, len(blocks), together):
            copies = []
            for b in range(first, min(first + together, len(blocks))):
                copy = (self.contexts.copy(), self.targets.copy())
                a, n, steps = self.train(tokens, blocks[b], b, copy, rate(b / len(blocks)), key)
                loss, pairs = loss + a, pairs + n
                copies.append((copy, steps))
            self.merge(copies, STIFFNESS * rate(first / len(blocks)))
        return loss, pairs

    def merge(self, copies, stiffness):
        for which, matrix in enumerate((self.contexts, self.targets)):
            for row in range(len(matrix)):
                touching = [(copy[which][row], steps[which][row]) for copy, steps in copies if row in steps[which]]
                m = len(touching)
                if m == 1:
                    matrix[row] = touching[0][0]
                elif m > 1:
                    rho = math.exp(-stiffness * sum(s for _, s in touching) / m)
                    alpha = (1 - rho**m) / (m * (1 - rho)) if rho < 1 else 1.0
                    before = matrix[row].copy()
                    for copy, _ in touching:
                        matrix[row] += alpha * (copy - before)

    def rows(self, tokens, block, number, key):
        """For each token of a block the groups of target rows, one, or one for each context."""
        o = self.objective
        own = [tokens[p] for p in block]
        if o.objective == "softmax":
            return [[[token]] for token in own]
        if self.paths is not None:
            return [[self.paths[token]] if token >= 0 else [[]] for token in own]
        apart = o.architecture == "skip-gram" and not o.shared_negatives
        groups = 2 * o.window if apart else 1
        n_pool = self.block * o.negative if apart else self.block * o.negative // REUSE
        draws = key.child(2).words((number + 1) * 2 * n_pool)[number * 2 * n_pool :]
        threshold, alias = self.noise
        pool = []
        for i in range(n_pool):
            column = below(draws[2 * i], len(self.counts))
            pool.append(column if int(draws[2 * i + 1]) < threshold[column] else alias[column])
        most = (self.block * groups * o.negative // WORDS + 1) * WORDS
        draws = iter(key.child(3).words((number + 1) * most)[number * most :])
        found = []
        for token in own:
            found.append([])
            for _ in range(groups if token >= 0 else 0):
                negatives = [pool[below(next(draws), n_pool)] for _ in range(o.negative)]
                kept = [n for n in dict.fromkeys(negatives) if n != token]
                found[-1].append([token, *(~n for n in kept)])
        return found

    def train(self, tokens, block, number, copy, rate, key):
        o = self.objective
        contexts, targets = copy
        size = self.block
        words = key.child(1).words((number + 1) * size)[number * size :]
        rows = self.rows(tokens, block, number, key)
        pairs = 1 if o.architecture == "cbow" else o.window + 1
        per_pair = 1 + o.negative
        if self.paths is not None:
            per_pair = round(sum(map(len, self.paths)) / len(self.paths))
        steps = ({}, {})
        around = tokens[max(block.start - o.window, 0) : block.stop + o.window]
        for token in around:
            if token >= 0:
                steps[0][token] = steps[0].get(token, 0) + pairs * per_pair
        for groups in rows:
            for row in (row for group in groups for row in group):
                row = row if row >= 0 else ~row
                steps[1][row] = steps[1].get(row, 0) + pairs
        if o.objective == "softmax":
            steps = (steps[0], dict.fromkeys(range(len(targets)), 1))
        loss, pairs = 0.0, 0
        for i, p in enumerate(block):
            radius = 1 + below(words[i], o.window) if o.shrink_windows else o.window
            near = [tokens[q] for q in window(tokens, p, radius)] if tokens[p] >= 0 else []
            if not near:
                continue
            loss += self.step(contexts, targets, near, rows[i], rate)
            pairs += 1 if o.architecture == "cbow" else len(near)
        return loss, pairs, steps

    def step(self, contexts, targets, near, groups, rate):
        """One window: all gradients at the vectors before it."""
        before, old = contexts[near].copy(), targets.copy()
        cbow = self.objective.architecture == "cbow"
        inputs = [before.mean(axis=0)] if cbow else list(before)
        loss = 0.0
        for a, x in enumerate(inputs):
            group = groups[a] if len(groups) > 1 else groups[0]
            # Pairs with target rows of their own step one after another.
            now = targets.copy() if len(groups) > 1 else old
            part, dx, changes = self.pair(x, group, now)
            loss += part
            for row, du in changes:
                targets[row] -= rate * du
            for word in near if cbow else [near[a]]:
                contexts[word] -= rate * dx
        return loss

    def pair(self, x, group, targets):
        """The objective of one input, its gradient, and those of target rows."""
        dx, changes, loss = np.zeros_like(x), [], 0.0
        if self.objective.objective == "softmax":
            logits = targets @ x
            shares = np.exp(logits - logits.max())
            shares /= shares.sum()
            loss = -math.log(shares[group[0]])
            slopes = shares - np.eye(len(targets))[group[0]]
            return loss, slopes @ targets, [(row, slope * x) for row, slope in enumerate(slopes)]
        for row in group:
            sign, row = (1, row) if row >= 0 else (-1, ~row)
            dot = float(targets[row] @ x)
            loss += math.log1p(math.exp(-sign * dot))
            slope = -sign * sigmoid(-sign * dot)
            dx += slope * targets[row]
            changes.append((row, slope * x))
        return loss, dx, changes

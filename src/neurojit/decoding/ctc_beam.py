"""Prefix search: the labels that most paths of a network trained by CTC together read as."""

import numpy as np

from neurojit.core.progress import progress_bar
from neurojit.decoding.ctc import check_log_probs
from neurojit.decoding.hypothesis import Hypothesis, check_real, check_whole, smallest

_ROOT = 0


def ctc_beam_search(log_probs, width, *, blank=0, n_best=1, language_model=None, alpha=1.0, beta=0.0, verbose=0):
    r"""Search for the labels with the largest probability, summed over all paths that read as them.

    Step by step, the `width` best prefixes are kept, each with the probability of the paths that read as it and end on
    a blank, and of those that do not (Hannun, Maas, Jurafsky and Ng, "First-pass large vocabulary continuous speech
    recognition using bi-directional recurrent DNNs" (2014), algorithm 1). Prefixes are ranked, and labels l scored, by

    .. math::

        \log P_{CTC}(l) + \alpha \log P_{LM}(l) + \beta |l|.

    With a width no smaller than the number of prefixes nothing is lost.

    Parameters
    ----------
    log_probs : array-like, shape (t, classes)
        Logarithms of probabilities, as of `functional.log_softmax`.
    width : int
        Prefixes to keep.
    blank : int, default=0
        The class that stands for no label.
    n_best : int, default=1
        How many to give back, at most `width`.
    language_model : callable or None, default=None
        ``language_model(prefix) -> array, shape (classes,)``: log-probabilities of each label, given the tuple of
        labels before it. A model of words gives 0 within words, and at their ends that of the word.
    alpha : float, default=1.0
        Weight of the language model.
    beta : float, default=0.0
        Bonus for each label, against the preference of products of probabilities for short results.
    verbose : int, default=0
        Whether to show how many steps are done.

    Returns
    -------
    list of Hypothesis
        At most `n_best`, the best first; `score` is the negative of the above.

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong kind, or the language model gives NaN or another shape.

    Examples
    --------
    >>> import numpy as np
    >>> from neurojit import decoding
    >>> log_probs = np.log([[0.6, 0.4], [0.6, 0.4]])  # the best path is blank; but 01, 10 and 11 read as [1]
    >>> decoding.ctc_greedy(log_probs)
    array([], dtype=int64)
    >>> best, second = decoding.ctc_beam_search(log_probs, width=4, n_best=2)
    >>> best.tokens, np.exp(-best.score).round(2), second.tokens, np.exp(-second.score).round(2)
    (array([1]), np.float64(0.64), array([], dtype=int64), np.float64(0.36))
    """
    table, blank = check_log_probs(log_probs, blank)
    width, n_best = check_whole(width, "width"), check_whole(n_best, "n_best")
    if n_best > width:
        raise ValueError(f"n_best: got {n_best}, wanted at most the width {width}")
    prior = _Prior(language_model, check_real(alpha, "alpha"), check_real(beta, "beta"), table.shape[1])
    beam = _Beam(blank, prior)
    with progress_bar("beam search", "steps", len(table), shown=verbose) as update:
        for log_p in table:
            beam.advance(log_p, width)
            update(1)
    scores = 0.0 - beam.ranks()
    return [Hypothesis(np.array(beam.prefix(i), np.int64), float(scores[i])) for i in smallest(scores, n_best)]


class _Prior:
    """What comes to a prefix's score by each label beside the network: alpha log P + beta."""

    def __init__(self, language_model, alpha, beta, classes):
        self.language_model = language_model
        self.alpha = alpha
        self.bonus = np.full(classes, beta)

    def of_labels(self, prefix):
        """Shape (classes,): for each label after the prefix."""
        if self.language_model is None or self.alpha == 0:
            return self.bonus
        scores = np.asarray(self.language_model(prefix), np.float64)
        if scores.shape != self.bonus.shape:
            raise ValueError(f"language_model: got shape {scores.shape}, wanted {self.bonus.shape}")
        if np.isnan(scores).any():
            raise ValueError("language_model: got NaN, wanted log-probabilities")
        return self.alpha * scores + self.bonus


class _Beam:
    """The prefixes that are kept, as nodes of a tree, so that one that comes up again is known.

    For each of them: `ends_blank` and `ends_label`, the log-probabilities of paths that read as it and end on a blank
    or on its last label, and `prior`, what the language model and the bonus add.
    """

    def __init__(self, blank, prior):
        self.blank = blank
        self.model = prior
        self.parents, self.labels, self.children, self.next_priors = [-1], [blank], [{}], [None]
        self.nodes = np.array([_ROOT])
        self.ends_blank, self.ends_label, self.prior = np.zeros(1), np.full(1, -np.inf), np.zeros(1)

    def ranks(self):
        """The score of each prefix."""
        return np.logaddexp(self.ends_blank, self.ends_label) + self.prior

    def prefix(self, i):
        """The labels of the i-th prefix."""
        return self._labels_of(self.nodes[i])

    def advance(self, log_p, width):
        """Take a step with the log-probabilities of all classes, (classes,), and keep the `width` best prefixes."""
        total = np.logaddexp(self.ends_blank, self.ends_label)
        last = np.array([self.labels[node] for node in self.nodes])
        stay_blank = total + log_p[self.blank]
        stay_label = np.where(self.nodes == _ROOT, -np.inf, self.ends_label + log_p[last])
        grow = total[:, np.newaxis] + log_p  # a label follows; the same one again only after a blank
        rows = np.arange(len(last))
        grow[rows, last] = self.ends_blank + log_p[last]
        grow[:, self.blank] = -np.inf
        for child, parent in self._pairs():  # a prefix that grows into another one of the beam is that one
            stay_label[child] = np.logaddexp(stay_label[child], grow[parent, last[child]])
            grow[parent, last[child]] = -np.inf
        grown_prior = self.prior[:, np.newaxis] + self._next_priors()
        stayed = np.logaddexp(stay_blank, stay_label) + self.prior
        ranks = np.concatenate([stayed, (grow + grown_prior).reshape(-1)])
        best = smallest(-ranks, width)
        best = best[ranks[best] > -np.inf] if ranks[best[0]] > -np.inf else best[:1]
        kept, new = best[best < len(last)], best[best >= len(last)] - len(last)
        parents, labels = np.divmod(new, len(log_p))
        grown = [self._child(self.nodes[i], int(label)) for i, label in zip(parents, labels, strict=True)]
        self.nodes = np.concatenate([self.nodes[kept], np.array(grown, np.int64)])
        self.ends_blank = np.concatenate([stay_blank[kept], np.full(len(new), -np.inf)])
        self.ends_label = np.concatenate([stay_label[kept], grow[parents, labels]])
        self.prior = np.concatenate([self.prior[kept], grown_prior[parents, labels]])

    def _pairs(self):
        """Places in the beam of prefixes whose parents are in it too, with those of the parents."""
        places = {node: place for place, node in enumerate(self.nodes.tolist())}
        for node, place in places.items():
            parent = places.get(self.parents[node])
            if parent is not None:
                yield place, parent

    def _next_priors(self):
        """What each label would add to each prefix, (prefixes, classes); the model is asked once for each prefix."""
        for node in self.nodes:
            if self.next_priors[node] is None:
                self.next_priors[node] = self.model.of_labels(self._labels_of(node))
        return np.array([self.next_priors[node] for node in self.nodes])

    def _child(self, node, label):
        """The node of a prefix with one more label."""
        children = self.children[node]
        if label not in children:
            children[label] = len(self.parents)
            self.parents.append(int(node))
            self.labels.append(label)
            self.children.append({})
            self.next_priors.append(None)
        return children[label]

    def _labels_of(self, node):
        labels = []
        while node != _ROOT:
            labels.append(self.labels[node])
            node = self.parents[node]
        return tuple(reversed(labels))

"""Vectors of words, and what can be asked of them."""

import numbers

import numpy as np

from neurojit.text.evaluation import EvaluatedVectors
from neurojit.text.pictures import PicturedVectors
from neurojit.text.stored_vectors import StoredVectors
from neurojit.text.vocabulary import Vocabulary


class KeyedVectors(EvaluatedVectors, StoredVectors, PicturedVectors):
    """Words and their vectors.

    Names and answers are those of gensim's class of this name. Similarity is the cosine of the angle between vectors.

    Parameters
    ----------
    words : Vocabulary or sequence of str
        All different.
    vectors : array-like, shape (n_words, vector_size)
        float32 or float64, not copied; the vector of each word.

    Attributes
    ----------
    vocabulary : Vocabulary
    vectors : numpy.ndarray, shape (n_words, vector_size)

    Raises
    ------
    ValueError
        If there are not as many vectors as words, or a word stands twice.
    TypeError
        If the vectors are not numbers.

    Examples
    --------
    >>> from neurojit.text import KeyedVectors
    >>> vectors = KeyedVectors(["king", "queen", "apple"], [[1.0, 0.1], [0.9, 0.3], [-0.2, 1.0]])
    >>> vectors.most_similar("king", topn=1)[0][0]
    'queen'
    >>> vectors.doesnt_match(["king", "queen", "apple"])
    'apple'
    >>> "king" in vectors, vectors["king"]
    (True, array([1. , 0.1]))
    """

    def __init__(self, words, vectors):
        self.vocabulary = words if isinstance(words, Vocabulary) else Vocabulary(words)
        vectors = vectors if isinstance(vectors, np.ndarray) else np.asarray(vectors)
        if vectors.dtype.kind != "f":
            raise TypeError(f"vectors: got dtype {vectors.dtype}, wanted float32 or float64")
        if vectors.ndim != 2 or len(vectors) != len(self.vocabulary):
            raise ValueError(f"vectors: got shape {vectors.shape}, wanted ({len(self.vocabulary)}, vector_size)")
        self.vectors = vectors
        self._lengths = None

    # -- words ----------------------------------------------------------------------------------------------------

    @property
    def words(self):
        """The words, in the order of the vectors."""
        return self.vocabulary.words

    @property
    def vector_size(self):
        """Numbers in a vector."""
        return self.vectors.shape[1]

    @property
    def lengths(self):
        """The length of each vector, shape (n_words,); 1 for one of zeros, which is similar to nothing."""
        if self._lengths is None:
            lengths = np.sqrt(np.einsum("ij,ij->i", self.vectors, self.vectors))
            self._lengths = np.where(lengths > 0, lengths, 1).astype(self.vectors.dtype)
        return self._lengths

    def __len__(self):
        return len(self.vocabulary)

    def __contains__(self, word):
        return word in self.vocabulary

    def __getitem__(self, words):
        """The vector of a word, or those of a list of words, one a row."""
        if isinstance(words, str):
            return self.vectors[self._indices([words])[0]]
        return self.vectors[self._indices(words)]

    def __repr__(self):
        return f"<KeyedVectors of {len(self)} words, {self.vector_size} numbers each>"

    def _indices(self, words, ignore_missing=False):
        words = list(words)
        found = [self.vocabulary.index.get(word, -1) for word in words]
        missing = [word for word, i in zip(words, found, strict=True) if i < 0]
        if missing and not ignore_missing:
            raise KeyError(f"words: got {missing}, which are not among the {len(self)} known words")
        return np.array([i for i in found if i >= 0], np.int64)

    # -- similarity -----------------------------------------------------------------------------------------------

    def similarity(self, first, second):
        """Cosine of the angle between the vectors of two words.

        Parameters
        ----------
        first, second : str

        Returns
        -------
        float

        Raises
        ------
        KeyError
            If a word is not known.
        """
        a, b = self._units(self._indices([first, second]))
        return float(a @ b)

    def most_similar(self, positive=None, negative=None, topn=10, restrict_vocab=None, ignore_missing=False):
        """The words whose vectors have the smallest angle to a mean of unit vectors, some of them negated.

        With positive ["king", "woman"] and negative ["man"] it is the analogy of Mikolov, Yih and Zweig (2013),
        3CosAdd.

        Parameters
        ----------
        positive, negative : str, array of shape (vector_size,), or list of these; default=None
        topn : int, default=10
        restrict_vocab : int or None, default=None
            Look only among so many first (most frequent) words.
        ignore_missing : bool, default=False
            Whether to leave out unknown words.

        Returns
        -------
        list of (str, float)
            Word and cosine, the most similar first; without the words asked about.

        Raises
        ------
        KeyError
            If a word is not known.
        ValueError
            If there is nothing to be similar to.
        """
        rows, weights, own = self._query(positive, negative, ignore_missing)
        mean = weights @ rows
        return self._best(self._cosines(mean, restrict_vocab), own, topn)

    def most_similar_cosmul(self, positive=None, negative=None, topn=10, restrict_vocab=None, ignore_missing=False):
        """As `most_similar`, with products in place of sums: 3CosMul.

        Cosines are taken from 0 to 1; those to the positive words are multiplied, those to the negative ones divided
        by (Levy and Goldberg, "Linguistic regularities in sparse and explicit word representations", CoNLL 2014,
        equation 5).

        Parameters
        ----------
        positive, negative, topn, restrict_vocab, ignore_missing
            As in `most_similar`.

        Returns
        -------
        list of (str, float)
            Word and score.

        Raises
        ------
        KeyError, ValueError
            As in `most_similar`.
        """
        rows, weights, own = self._query(positive, negative, ignore_missing)
        scores = (1 + np.stack([self._cosines(row, restrict_vocab) for row in rows])) / 2
        score = np.prod(scores[weights > 0], axis=0) / (np.prod(scores[weights < 0], axis=0) + 1e-6)
        return self._best(score, own, topn)

    def analogy(self, a, b, c, topn=10):
        """What is to `c` as `b` is to `a`: ``most_similar(positive=[b, c], negative=[a])``.

        Parameters
        ----------
        a, b, c : str
        topn : int, default=10

        Returns
        -------
        list of (str, float)

        Raises
        ------
        KeyError
            If a word is not known.
        """
        return self.most_similar(positive=[b, c], negative=[a], topn=topn)

    def closest(self, vector, topn=10):
        """The words whose vectors have the smallest angle to a vector.

        Parameters
        ----------
        vector : array-like, shape (vector_size,)
        topn : int, default=10

        Returns
        -------
        list of (str, float)

        Raises
        ------
        ValueError
            If the vector has another size.
        """
        return self.most_similar(positive=[np.asarray(vector, self.vectors.dtype)], topn=topn)

    def doesnt_match(self, words, ignore_missing=False):
        """The word least similar to the mean of the unit vectors of all.

        Parameters
        ----------
        words : list of str
        ignore_missing : bool, default=False

        Returns
        -------
        str

        Raises
        ------
        KeyError
            If a word is not known.
        ValueError
            If there are no words.
        """
        indices = self._indices(words, ignore_missing)
        if not len(indices):
            raise ValueError(f"words: got {list(words)}, wanted at least one known word")
        units = self._units(indices)
        return self.words[indices[np.argmin(units @ units.mean(axis=0))]]

    def _units(self, indices):
        return self.vectors[indices] / self.lengths[indices, None]

    def _query(self, positive, negative, ignore_missing):
        """Unit vectors asked about, +1 or -1 for each, and the indices of those that are words."""
        rows, weights, own = [], [], []
        for given, weight in ((positive, 1.0), (negative, -1.0)):
            for item in _as_list(given):
                if isinstance(item, str):
                    indices = self._indices([item], ignore_missing)
                    rows.extend(self._units(indices))
                    weights.extend([weight] * len(indices))
                    own.extend(indices)
                    continue
                item = np.asarray(item, self.vectors.dtype)
                if item.shape != (self.vector_size,):
                    raise ValueError(
                        f"positive, negative: got an array of shape {item.shape}, wanted ({self.vector_size},)"
                    )
                rows.append(item / (np.linalg.norm(item) or 1))
                weights.append(weight)
        if not rows:
            raise ValueError("positive, negative: got no known word and no vector, wanted at least one")
        return np.stack(rows), np.array(weights, self.vectors.dtype), own

    def _cosines(self, vector, restrict_vocab):
        length = np.linalg.norm(vector) or 1
        return self.vectors[:restrict_vocab] @ (vector / length) / self.lengths[:restrict_vocab]

    def _best(self, scores, own, topn):
        if isinstance(topn, bool) or not isinstance(topn, numbers.Integral) or topn < 1:
            raise ValueError(f"topn: got {topn!r}, wanted an integer >= 1")
        wanted = min(topn + len(own), len(scores))
        candidates = np.argpartition(-scores, wanted - 1)[:wanted]
        order = candidates[np.lexsort((candidates, -scores[candidates]))]
        return [(self.words[i], float(scores[i])) for i in order if i not in own][:topn]


def _as_list(given):
    if given is None:
        return []
    if isinstance(given, str) or (isinstance(given, np.ndarray) and given.ndim == 1 and given.dtype.kind == "f"):
        return [given]
    return list(given)

"""The binary tree of hierarchical softmax."""

import heapq

import numpy as np


def huffman_paths(counts):
    """The path from the root to each word in the Huffman tree of the words' counts.

    The more frequent a word, the shorter its path (Huffman 1952; Morin and Bengio 2005; Mikolov, Sutskever, Chen,
    Corrado and Dean 2013, section 2.1). Each inner node says with the logistic function which of its two children is
    meant.

    Parameters
    ----------
    counts : array of int, shape (n_words,)

    Returns
    -------
    starts : numpy.ndarray, shape (n_words + 1,)
        int32; word w has the nodes ``nodes[starts[w]:starts[w + 1]]``.
    nodes : numpy.ndarray
        int32; inner node i, from 0 (the root) to n_words - 2, stands as i where the path turns left (label 1), as ~i
        where it turns right (label 0).

    Examples
    --------
    >>> from neurojit.text.huffman import huffman_paths
    >>> starts, nodes = huffman_paths([4, 2, 1])
    >>> [nodes[i:j].tolist() for i, j in zip(starts, starts[1:])]
    [[-1], [0, -2], [0, 1]]
    """
    counts = [int(n) for n in counts]
    n_words = len(counts)
    heap = [(n, i) for i, n in enumerate(counts)]
    heapq.heapify(heap)
    children = []
    while len(heap) > 1:
        (n_left, left), (n_right, right) = heapq.heappop(heap), heapq.heappop(heap)
        heapq.heappush(heap, (n_left + n_right, n_words + len(children)))
        children.append((left, right))
    paths = {n_words + len(children) - 1: []}
    for made in range(len(children) - 1, -1, -1):  # the root was made last, and is numbered first
        path = paths.pop(n_words + made)
        node = len(children) - 1 - made
        left, right = children[made]
        paths[left], paths[right] = [*path, node], [*path, ~node]
    lengths = [len(paths[word]) for word in range(n_words)]
    starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    nodes = np.array([node for word in range(n_words) for node in paths[word]], np.int32)
    return starts, nodes

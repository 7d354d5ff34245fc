"""Pictures of word vectors."""


class PicturedVectors:
    """What of `KeyedVectors` shows them in two dimensions."""

    def project(self, words, method="pca", random_state=None):
        """The vectors of some words in two dimensions, by scikit-learn.

        Parameters
        ----------
        words : list of str
        method : {"pca", "tsne"}, default="pca"
        random_state : int or None, default=None

        Returns
        -------
        numpy.ndarray, shape (n, 2)

        Raises
        ------
        KeyError
            If a word is not known.
        ValueError
            If the method is another, or there are fewer than three words.
        """
        words = list(words)
        if method not in ("pca", "tsne"):
            raise ValueError(f"method: got {method!r}, wanted 'pca' or 'tsne'")
        vectors = self[words]
        if len(words) < 3:
            raise ValueError(f"words: got {len(words)}, wanted at least three")
        if method == "pca":
            from sklearn.decomposition import PCA

            return PCA(2, random_state=random_state).fit_transform(vectors)
        from sklearn.manifold import TSNE

        perplexity = min(30.0, (len(words) - 1) / 3)
        return TSNE(2, perplexity=perplexity, metric="cosine", random_state=random_state).fit_transform(vectors)

    def plot(self, words, method="pca", random_state=None, ax=None):
        """Draw some words where `project` puts them.

        Parameters
        ----------
        words : list of str
        method : {"pca", "tsne"}, default="pca"
        random_state : int or None, default=None
        ax : matplotlib.axes.Axes or None, default=None
            Where to draw; None makes a new figure.

        Returns
        -------
        matplotlib.axes.Axes

        Raises
        ------
        KeyError, ValueError
            As in `project`.
        """
        points = self.project(words, method, random_state)
        if ax is None:
            from matplotlib import pyplot as plt

            ax = plt.subplots(layout="constrained")[1]
        ax.scatter(points[:, 0], points[:, 1], s=8)
        for word, point in zip(words, points, strict=True):
            ax.annotate(word, point, xytext=(3, 3), textcoords="offset points")
        ax.set_title({"pca": "Word vectors: principal components", "tsne": "Word vectors: t-SNE"}[method])
        return ax

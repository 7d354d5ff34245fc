"""Draw the README's picture: ``python docs/readme_picture.py`` trains on the digits and writes docs/digits.png."""

from pathlib import Path

import matplotlib as mpl

mpl.use("agg")
from matplotlib import pyplot as plt

import neurojit as nj
from neurojit.datasets import digits
from neurojit.inspection import first_layer_filters, learning_curve, misclassified

WIDTH, HEIGHT, DOTS = 10.5, 3.1, 100


def main():
    """Train, and draw what came of it."""
    x_train, y_train, x_test, y_test = digits()
    model = nj.ConvNetClassifier(early_stopping=True, max_epochs=20, n_iter_no_change=20, random_state=0)
    model.fit(x_train, y_train)
    figure, (left, middle, right) = plt.subplots(1, 3, figsize=(WIDTH, HEIGHT), layout="constrained")
    learning_curve(model.history_, left)
    first_layer_filters(model.network_, middle)
    misclassified(x_test, y_test, model.predict(x_test), ax=right)
    for ax in (left, middle, right):
        ax.title.set_fontsize(10)
    figure.savefig(Path(__file__).parent / "digits.png", dpi=DOTS, metadata={"Software": None})


if __name__ == "__main__":
    main()

"""Test accuracy of the default `ConvNetClassifier`: digits (five seeds), MNIST in 5 epochs, Fashion-MNIST in 10."""

import time

import neurojit as nj
from benchmarks import harness

SEEDS = range(5)


def digits():
    """The images of ``neurojit demo`` in half its epochs, five seeds."""
    x_train, y_train, x_test, y_test = nj.datasets.digits()
    for seed in SEEDS:
        started = time.perf_counter()
        model = nj.ConvNetClassifier(random_state=seed).fit(x_train, y_train)
        seconds = time.perf_counter() - started
        accuracy = model.score(x_test, y_test)
        print(f"digits, seed {seed}, {model.n_iter_} epochs: {accuracy:.4f} in {seconds:.1f} s", flush=True)


def images(name, epochs):
    x_train, y_train, x_test, y_test = harness.load(name)
    started = time.perf_counter()
    model = nj.ConvNetClassifier(max_epochs=epochs, random_state=0).fit(x_train, y_train)
    seconds = time.perf_counter() - started
    accuracy = model.score(x_test, y_test)
    print(f"{name}, {epochs} epochs: {accuracy:.4f} in {seconds:.0f} s, {seconds / epochs:.1f} s an epoch", flush=True)


def main():
    digits()
    images("mnist", 5)
    images("fashion_mnist", 10)


if __name__ == "__main__":
    main()

"""`neurojit word2vec`: from a text file to answers."""

import numpy as np
import pytest

from neurojit.cli import main
from neurojit.text import KeyedVectors


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    rng = np.random.default_rng(0)
    topics = [["cat", "dog", "horse", "cow", "sheep", "goat"], ["saw", "hammer", "drill", "wrench", "plane", "file"]]
    path = tmp_path_factory.mktemp("text") / "corpus.txt"
    path.write_text("\n".join(" ".join(rng.choice(topics[i % 2], 7)) for i in range(600)))
    return path


@pytest.fixture(scope="module", params=["v.safetensors", "v.bin", "v.txt", "v.txt.gz"])
def vectors(request, corpus, tmp_path_factory):
    path = tmp_path_factory.mktemp("vectors") / request.param
    assert main(["word2vec", "train", str(corpus), "--output", str(path), *OPTIONS]) == 0
    return path


OPTIONS = ["--vector-size", "12", "--window", "3", "--epochs", "3", "--sample", "0", "--seed", "1", "--threads", "1"]


def run(capsys, *arguments):
    capsys.readouterr()
    status = main(["word2vec", *map(str, arguments)])
    return status, *capsys.readouterr()


def test_train_tells_what_it_did(capsys, corpus, tmp_path):
    status, out, err = run(capsys, "train", corpus, "--output", tmp_path / "v.bin", *OPTIONS, "--architecture", "cbow")
    assert status == 0
    assert "12 different, 4,200 in all" in out
    assert "words/s" in out
    assert "epoch 3/3" in err
    assert "loss" in err
    assert len(KeyedVectors.load_word2vec_format(tmp_path / "v.bin", binary=True)) == 12


def test_similar(capsys, vectors):
    status, out, _ = run(capsys, "similar", vectors, "cat", "--topn", 5)
    assert status == 0
    assert {line.split()[0] for line in out.splitlines()} == {"dog", "horse", "cow", "sheep", "goat"}


def test_analogy(capsys, vectors):
    status, out, _ = run(capsys, "analogy", vectors, "cat", "dog", "saw", "--topn", 4)
    assert status == 0
    found = [line.split()[0] for line in out.splitlines()]
    assert len(found) == 4
    assert set(found) & {"hammer", "drill", "wrench", "plane", "file"}


def test_evaluate(capsys, vectors, tmp_path):
    analogies, pairs = tmp_path / "q.txt", tmp_path / "p.tsv"
    analogies.write_text(": tools\nsaw file hammer drill\ncat dog saw lion\n: none\nx y z w\n")
    pairs.write_text("cat\tdog\t9\ncat\tsaw\t1\ncow\tgoat\t8\nx\ty\t3\n")
    status, out, _ = run(capsys, "evaluate", vectors, "--analogies", analogies, "--pairs", pairs)
    assert status == 0
    assert "tools" in out
    assert "of 1, 2 with unknown words" in out
    assert "25.0% unknown" in out
    pearson = float(out.split("Pearson ")[1].split(",")[0])
    assert pearson > 0.9


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("similar", "{v}", "zebra"), "WORD: got zebra, wanted words that were trained on"),
        (("analogy", "{v}", "cat", "zebra", "lion"), "WORD: got zebra, lion"),
        (("similar", "none.txt", "cat"), "path: got 'none.txt'"),
        (("evaluate", "{v}"), "wanted --analogies, --pairs or both"),
        (("train", "none.txt", "--output", "v.bin"), "path: got 'none.txt'"),
        (("train", "{c}", "--output", "no/folder/v.bin"), "--output: got 'no/folder/v.bin'"),
        (("train", "{c}", "--output", "v.bin", "--min-count", "10000"), "min_count: got 10000"),
        (("train", "{c}", "--output", "v.bin", "--learning-rate", "-1"), "learning_rate: got -1.0"),
    ],
)
def test_mistakes(capsys, monkeypatch, corpus, vectors, tmp_path, arguments, message):
    monkeypatch.chdir(tmp_path)
    status, _, err = run(capsys, *(a.format(v=vectors, c=corpus) for a in arguments))
    assert status == 2
    assert message in err
    assert err.splitlines()[-1].startswith("neurojit word2vec: error: ")  # after bars of progress, if any
    assert "Traceback" not in err
    assert list(tmp_path.iterdir()) == []

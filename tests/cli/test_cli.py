"""The command line: what it prints, writes and answers to mistakes."""

import argparse
import os
import subprocess
import sys

import numpy as np
import pytest

import neurojit as nj
from neurojit.cli import main
from neurojit.cli.main import _parser


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    """A small .npz file of images: light squares above or below."""
    rng = np.random.default_rng(0)
    y = np.arange(100) % 2
    x = rng.integers(0, 100, (100, 8, 8), dtype=np.uint8)
    x[y == 0, :4] += 100
    x[y == 1, 4:] += 100
    path = tmp_path_factory.mktemp("data") / "squares.npz"
    np.savez(path, x_train=x[:80], y_train=y[:80], x_test=x[80:], y_test=y[80:])
    return path


def run(capsys, *arguments):
    status = main([str(argument) for argument in arguments])
    out, err = capsys.readouterr()
    return status, out, err


def test_demo_on_the_digits(capsys):
    status, out, err = run(capsys, "demo", "--epochs", 2)
    assert status == 0
    assert "epoch 2/2" in err
    accuracies = [float(line.split()[2]) for line in out.splitlines() if "accuracy" in line]
    assert len(accuracies) == 2
    assert min(accuracies) > 0.9
    for words in ("images/s", "What to try next", "1437 images", "360 others"):
        assert words in out


KERNELS_OF_A_TRAINING = """
from numba.core.caching import FunctionCache

asked, load = [], FunctionCache.load_overload

def recorded(cache, signature, target):
    asked.append(cache._impl.filename_base.split("-")[0])
    return load(cache, signature, target)

FunctionCache.load_overload = recorded

from neurojit.cli import ahead
from neurojit import ConvNetClassifier, datasets

x, y, _, _ = datasets.digits()
ahead.compile_backwards((8, 8, 1), 10)
assert len(asked) > 20
before = len(asked)
ConvNetClassifier(max_epochs=1).fit(x[:64], y[:64]).predict(x[:64])
print(*asked[before:])
"""


@pytest.mark.slow
def test_the_second_process_compiles_what_the_demo_needs():
    """A training after it asks for no kernel more, but the one that shuffles the samples."""
    done = subprocess.run([sys.executable, "-c", KERNELS_OF_A_TRAINING], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) == {"random.fill_words"}


def test_only_a_first_demo_starts_a_second_process(monkeypatch):
    from neurojit.cli import ahead, demo

    started = []
    monkeypatch.setattr(ahead.subprocess, "Popen", lambda command, **_: started.append(command) or _Ended())
    monkeypatch.setattr(demo.cache, "holds_kernels", lambda: False)
    with demo._compiling(np.zeros((6, 8, 8)), np.arange(6) % 3):
        pass
    assert [command[-1] for command in started] == ["[[8, 8, 1], 3]"]
    monkeypatch.setattr(demo.cache, "holds_kernels", lambda: True)
    with demo._compiling(np.zeros((6, 8, 8)), np.arange(6) % 3):
        pass
    assert len(started) == 1


def test_a_demo_that_can_keep_no_kernels_says_what_to_do(monkeypatch, capsys):
    from neurojit.cli import ahead, demo

    monkeypatch.setattr(ahead.subprocess, "Popen", lambda *_, **__: pytest.fail("kernels of another process are lost"))
    monkeypatch.setattr(demo.cache, "directory", lambda: None)
    with demo._compiling(np.zeros((6, 8, 8)), np.arange(6) % 3):
        pass
    assert "set the\nvariable NUMBA_CACHE_DIR" in capsys.readouterr().out


class _Ended:
    """A process that is gone."""

    def kill(self):
        pass

    def wait(self):
        pass


def test_demo_saves_and_draws(capsys, archive, tmp_path):
    pytest.importorskip("matplotlib")
    model, plots = tmp_path / "model.safetensors", tmp_path / "plots" / "new"
    status, out, _ = run(
        capsys, "demo", "--data", archive, "--epochs", 3, "--seed", 1, "--save", model, "--plot", plots
    )
    assert status == 0
    assert "80 images of squares.npz" in out
    with np.load(archive) as data:
        assert nj.load(model).score(data["x_test"], data["y_test"]) > 0.8
    names = ["confusion_matrix.png", "first_layer_filters.png", "learning_curve.png", "misclassified.png"]
    assert sorted(path.name for path in plots.iterdir()) == names
    for name in names:
        assert (plots / name).read_bytes().startswith(b"\x89PNG")
        assert str(plots / name) in out


def test_info(capsys):
    status, out, _ = run(capsys, "info")
    assert status == 0
    facts = dict(line.split(maxsplit=1) for line in out.splitlines())
    assert facts["neurojit"] == nj.__version__
    assert facts["numpy"] == np.__version__
    assert "lanes" in facts["SIMD"]
    assert "layer" in facts["threads"]
    assert "CUDA" in facts
    assert any(line.startswith("kernel cache") for line in out.splitlines())


@pytest.mark.slow
def test_warmup_names_every_function(capsys):
    from neurojit import functional as F

    status, out, _ = run(capsys, "warmup")
    assert status == 0
    names = {line.split()[0] for line in out.splitlines()[1:-1]}
    assert names >= {"word", *(name for name in F.__all__ if isinstance(getattr(F, name), F.Op))}
    for line in out.splitlines()[1:-1]:
        *_, dtype, seconds, unit = line.split()
        assert dtype == "float32"
        assert float(seconds) >= 0
        assert unit == "s"


def _no_y_test(path):
    np.savez(path, x_train=np.ones((4, 8, 8)), y_train=np.arange(4), x_test=np.ones((4, 8, 8)))


def _pickled(path):
    np.savez(path, x_train=np.array([None]), y_train=np.arange(4), x_test=np.ones(4), y_test=np.ones(4))


def _other_length(path):
    np.savez(path, x_train=np.ones((4, 8, 8)), y_train=np.arange(3), x_test=np.ones((4, 8, 8)), y_test=np.arange(4))


def _other_shape(path):
    np.savez(path, x_train=np.ones((4, 8, 8)), y_train=np.arange(4), x_test=np.ones((4, 8, 7)), y_test=np.arange(4))


def _two_labels(path):
    np.savez(path, x_train=np.ones((4, 8, 8)), y_train=np.arange(4), x_test=np.ones((4, 8, 8)), y_test=np.ones((4, 2)))


def _array(path):
    with open(path, "wb") as file:
        np.save(file, np.ones(3))


def _cut(path):
    np.savez(path, x_train=np.ones((4, 8, 8)), y_train=np.arange(4), x_test=np.ones((4, 8, 8)), y_test=np.arange(4))
    path.write_bytes(path.read_bytes()[:1000])


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda path: None, "wanted an .npz file that exists"),
        (_no_y_test, "lacks y_test"),
        (_pickled, "data.npz"),
        (_array, "wanted an .npz file"),
        (lambda path: path.write_text("hello"), "wanted an .npz file"),
        (_cut, "wanted an .npz file"),
        (_other_length, "y: got 3 values, wanted 4"),
        (_other_shape, "x_test: got shape (4, 8, 7), wanted samples of shape (8, 8)"),
        (_two_labels, "y_test: got shape (4, 2), wanted (4,)"),
    ],
)
def test_demo_refuses_data(capsys, tmp_path, make, words):
    make(tmp_path / "data.npz")
    status, _, err = run(capsys, "demo", "--data", tmp_path / "data.npz", "--epochs", 1)
    assert status == 2
    assert words in err
    assert len(err.splitlines()) == 1
    assert err.startswith("neurojit demo: error: ")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["demo", "--save", "missing/model.safetensors"], "--save: got 'missing/model.safetensors'"),
        (["demo", "--save", "."], "--save: got '.', a folder"),
        (["demo", "--plot", "file"], "file"),
    ],
)
def test_demo_refuses_places_before_training(capsys, tmp_path, monkeypatch, arguments, words):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    status, out, err = run(capsys, *arguments)
    assert status == 2
    assert words in err
    assert not out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["dance"], "invalid choice"),
        (["demo", "--epochs", "0"], "--epochs: got '0', wanted an integer >= 1"),
        (["demo", "--epochs", "many"], "--epochs: got 'many'"),
        (["demo", "--seed", "-1"], "--seed: got '-1', wanted an integer >= 0"),
        (["demo", "--colour"], "unrecognized arguments"),
    ],
)
def test_wrong_arguments(capsys, arguments, words):
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert words in capsys.readouterr().err


def test_interrupt(capsys, monkeypatch):
    def interrupted(**options):
        raise KeyboardInterrupt

    monkeypatch.setattr("neurojit.cli.demo.demo", interrupted)
    status, _, err = run(capsys, "demo")
    assert status == 130
    assert err == "neurojit demo: interrupted\n"


def test_help_imports_nothing_heavy():
    script = (
        "import sys\n"
        "from neurojit.cli import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit as end:\n    assert end.code == 0\n"
        "print(sorted({'numpy', 'numba', 'sklearn', 'matplotlib'} & sys.modules.keys()))\n"
    )
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, env=os.environ)
    assert result.stdout.splitlines()[-1] == "[]"
    assert "demo" in result.stdout


# -- help --------------------------------------------------------------------------------------------------------------


def parsers(parser, words=()):
    """Every parser of the command line, by the words that lead to it."""
    yield words, parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, child in action.choices.items():
                yield from parsers(child, (*words, name))


PARSERS = dict(parsers(_parser()))


@pytest.mark.parametrize("words", PARSERS, ids=" ".join)
def test_every_command_explains_itself_and_its_options(words):
    parser = PARSERS[words]
    text = parser.format_help()
    assert parser.description.endswith(".")
    assert all(len(line) <= 100 for line in text.splitlines())
    unexplained = [action.dest for action in parser._actions if action.help is None and not action.choices]
    assert not unexplained
    examples = [line.split() for line in text.split("examples:\n")[1].splitlines()]
    assert examples
    for example in examples:
        call = example[example.index("neurojit") + 1 :]
        assert tuple(call[: len(words)]) == words
        _parser().parse_args(call)  # exits at a call that is none


def test_a_bare_call_shows_the_help(capsys):
    status, out, err = run(capsys)
    assert status == 2
    assert out == ""
    assert err == _parser().format_help()

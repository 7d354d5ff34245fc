"""Without a GPU nothing of CUDA is loaded, and asking for it says what is missing."""

import subprocess
import sys

import numpy as np
import pytest

import neurojit as nj
from neurojit.core.cuda import CudaUnavailable, diagnosis, target, to_device
from neurojit.layers import Dense


@pytest.fixture
def no_gpu(monkeypatch):
    """A machine with neither package nor driver."""
    monkeypatch.setattr(target, "_target", None)
    monkeypatch.setattr(diagnosis, "package", lambda: None)
    monkeypatch.setattr(diagnosis, "driver", lambda: None)


class Driver:
    """The driver's library, as far as it is asked."""

    def __init__(self, starts, gpus):
        self.starts, self.gpus = starts, gpus

    def cuInit(self, flags):  # noqa: N802, the driver's name
        return 0 if self.starts else 100

    def cuDeviceGetCount(self, count):  # noqa: N802
        count._obj.value = self.gpus
        return 0


def test_says_what_is_missing(no_gpu, monkeypatch):
    with pytest.raises(
        CudaUnavailable, match=r"numba-cuda is not installed \(pip install 'neurojit\[cuda\]'\); no NVIDIA"
    ):
        to_device(np.ones(2))
    monkeypatch.setattr(diagnosis, "package", lambda: "0.30.4")
    monkeypatch.setattr(diagnosis, "driver", lambda: Driver(starts=True, gpus=0))
    with pytest.raises(CudaUnavailable, match="the NVIDIA driver sees no GPU"):
        to_device(np.ones(2))
    monkeypatch.setattr(diagnosis, "driver", lambda: Driver(starts=False, gpus=1))
    assert len(diagnosis.missing()) == 1
    monkeypatch.setattr(diagnosis, "driver", lambda: Driver(starts=True, gpus=1))
    assert diagnosis.missing() == []


class Stranger(nj.RecurrentClassifier):
    """An estimator that computes on the CPU alone."""

    _computes_on_cuda = False


def test_estimators_fail_at_once(no_gpu):
    model = nj.ConvNetClassifier(device="cuda", callbacks=[])
    with pytest.raises(CudaUnavailable, match="no NVIDIA driver"):
        model.fit(np.zeros((4, 8, 8, 1)), [0, 1, 0, 1])
    assert not hasattr(model, "classes_")
    with pytest.raises(CudaUnavailable, match="no NVIDIA driver"):
        nj.RecurrentClassifier(device="cuda").fit(np.zeros((4, 8, 1)), [0, 1, 0, 1])
    with pytest.raises(ValueError, match="Stranger has no CUDA kernels yet"):
        Stranger(device="cuda").fit(np.zeros((4, 8, 1)), [0, 1, 0, 1])
    with pytest.raises(ValueError, match="device: got 'gpu', wanted 'cpu' or 'cuda' or 'auto'"):
        nj.ConvNetClassifier(device="gpu").fit(np.zeros((4, 8)), [0, 1, 0, 1])
    with pytest.raises(CudaUnavailable):
        Dense(2).make((3,)).to("cuda")


def test_auto_computes_on_the_cpu_without_a_gpu(no_gpu):
    x, y = np.random.default_rng(0).standard_normal((8, 6)), [0, 1] * 4
    options = {"max_epochs": 1, "random_state": 0}
    auto = nj.ConvNetClassifier(device="auto", **options).fit(x, y)
    assert auto.network_.device == "cpu"
    np.testing.assert_array_equal(auto.predict_proba(x), nj.ConvNetClassifier(**options).fit(x, y).predict_proba(x))


def test_info_shows_it(no_gpu):
    from neurojit.cli.info import facts

    assert facts()["CUDA"].startswith("not available: the package numba-cuda is not installed")


def test_the_cpu_never_imports_numba_cuda():
    program = """
        import sys
        import numpy as np
        import neurojit.functional as F
        import neurojit.layers, neurojit.training
        from neurojit.core.cuda import KERNELS
        import neurojit.kernels.cuda.conv

        F.relu(np.ones(3, np.float32))
        assert "conv.correlate" in KERNELS
        print([name for name in sys.modules if name.startswith(("numba.cuda.", "cuda."))])
    """
    import textwrap

    command = [sys.executable, "-c", textwrap.dedent(program)]
    output = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300).stdout
    assert output.strip() == "[]"

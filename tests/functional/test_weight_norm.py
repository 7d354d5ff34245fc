"""Weight normalization: against the definition, central differences and PyTorch."""

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

import neurojit.functional as F
from neurojit.testing import gradcheck
from tests.functional.awkward import check_forms
from tests.reference import weight_norm as reference


def arrays(shape, dtype=np.float32):
    rng = np.random.default_rng(0)
    return rng.standard_normal(shape).astype(dtype), rng.standard_normal(shape[-1]).astype(dtype)


@hypothesis.given(
    st.lists(st.integers(1, 5), min_size=1, max_size=3), st.integers(0, 4), st.sampled_from([np.float32, np.float64])
)
def test_equals_the_definition(shape, outputs, dtype):
    direction, gain = arrays((*shape, outputs), dtype)
    before = direction.copy()
    y = F.weight_norm(direction, gain)
    assert y.dtype == dtype
    np.testing.assert_allclose(y, reference.weight_norm(direction, gain), rtol=1e-5 if dtype == np.float32 else 1e-12)
    np.testing.assert_array_equal(direction, before)


def test_pullback_equals_central_differences():
    gradcheck(F.weight_norm, *arrays((3, 2, 4), np.float64))
    gradcheck(F.weight_norm, *arrays((1, 3), np.float64))


def test_equals_pytorch(torch):
    direction, gain = arrays((5, 3, 7), np.float64)
    dy = np.random.default_rng(1).standard_normal(direction.shape)
    v = torch.from_numpy(np.moveaxis(direction, -1, 0).copy()).requires_grad_()
    g = torch.from_numpy(gain.reshape(-1, 1, 1)).requires_grad_()
    wanted = torch._weight_norm(v, g, 0)
    dv, dg = torch.autograd.grad(wanted, (v, g), torch.from_numpy(np.moveaxis(dy, -1, 0).copy()))
    y, backward = F.weight_norm.vjp(direction, gain)
    ddirection, dgain = backward(dy)
    np.testing.assert_allclose(y, np.moveaxis(wanted.detach().numpy(), 0, -1), rtol=1e-12)
    np.testing.assert_allclose(ddirection, np.moveaxis(dv.numpy(), 0, -1), rtol=1e-11, atol=1e-13)
    np.testing.assert_allclose(dgain, dg.numpy().ravel(), rtol=1e-11)


def test_layouts_and_a_direction_of_zero():
    direction, gain = arrays((4, 3))
    check_forms(lambda v: F.weight_norm(v, gain), direction)
    direction[:, 1] = 0
    np.testing.assert_array_equal(np.isnan(F.weight_norm(direction, gain)).all(axis=0), [False, True, False])


@pytest.mark.parametrize(
    ("direction", "gain", "error", "message"),
    [
        (np.ones(3), np.ones(3), ValueError, "direction: got shape (3,)"),
        (np.ones((2, 3)), np.ones(2), ValueError, "gain: got shape (2,), wanted (3)"),
        (np.ones((2, 3)), np.ones(3, np.float32), TypeError, "gain: got float32"),
    ],
)
def test_bad_input(direction, gain, error, message):
    with pytest.raises(error) as raised:
        F.weight_norm(direction, gain)
    assert str(raised.value).startswith(message)

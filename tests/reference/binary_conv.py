"""Binary convolution by its definition (Rastegari et al. 2016, sections 3.1 and 3.2), and what its gradients are of."""

import numpy as np

from tests.reference.conv import conv


def sign(v):
    return np.where(v < 0, -1.0, 1.0)


def straight(v, at):
    """sign at `at`, with the derivative of clip(v, -1, 1) there."""
    return sign(at) + np.clip(v, -1, 1) - np.clip(at, -1, 1)


def alpha(weight):
    """Equation 6: the mean magnitude of each filter's weights."""
    return np.abs(weight).reshape(-1, weight.shape[-1]).mean(axis=0)


def k(x, window, **options):
    """K = A * k, with A the mean magnitude over channels and k = 1 / (w h)."""
    box = np.full((*window, 1, 1), 1 / np.prod(window))
    return conv(np.abs(x).mean(axis=-1, keepdims=True), box, **options, groups=1)


def xnor_conv(x, weight, bias=None, **options):
    """Equation 11: (sign(x) * sign(w)) K alpha; zeros past the border."""
    y = conv(sign(x), sign(weight), **options, groups=1) * k(x, weight.shape[:2], **options) * alpha(weight)
    return y if bias is None else y + bias


def weight_conv(x, weight, bias=None, **options):
    """Equation 1: x * (alpha sign(w))."""
    return conv(x, alpha(weight) * sign(weight), bias, **options, groups=1)

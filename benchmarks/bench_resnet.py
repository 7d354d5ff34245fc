"""ResNet-18 on a single image beside the same network in PyTorch; ours with its batch norms folded as well."""

import numpy as np

from benchmarks import harness

STAGES = ((64, 1), (128, 2), (256, 2), (512, 2))
ROUNDS = 15


def ours():
    """The network as it is trained, and folded, on the image."""
    from neurojit.models import resnet18

    image = np.random.default_rng(0).standard_normal((1, 224, 224, 3), np.float32)
    network = resnet18().make(image.shape[1:], 0)
    folded = network.fold()
    np.testing.assert_allclose(folded(image), network(image), rtol=1e-3, atol=1e-4)
    return {"ours": lambda: network(image), "folded": lambda: folded(image)}


def peer(channels_last):
    """PyTorch's network in one of its two memory layouts; its fused convolutions are its own affair."""
    import torch
    from torch import nn

    def normalized(c_in, c_out, width, stride):
        convolution = nn.Conv2d(c_in, c_out, width, stride, width // 2, bias=False)
        return nn.Sequential(convolution, nn.BatchNorm2d(c_out))

    class Block(nn.Module):
        def __init__(self, c_in, c_out, stride):
            super().__init__()
            self.first, self.second = normalized(c_in, c_out, 3, stride), normalized(c_out, c_out, 3, 1)
            self.projection = normalized(c_in, c_out, 1, stride) if stride > 1 else nn.Identity()
            self.relu = nn.ReLU(inplace=True)

        def forward(self, x):
            return self.relu(self.second(self.relu(self.first(x))) + self.projection(x))

    layers, c_in = [normalized(3, 64, 7, 2), nn.ReLU(inplace=True), nn.MaxPool2d(3, 2, 1)], 64
    for c_out, stride in STAGES:
        layers += [Block(c_in, c_out, stride), Block(c_out, c_out, 1)]
        c_in = c_out
    layout = torch.channels_last if channels_last else torch.contiguous_format
    model = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, 1000))
    model = model.eval().to(memory_format=layout)
    image = torch.randn(1, 3, 224, 224).contiguous(memory_format=layout)

    def forward():
        with torch.inference_mode():
            model(image)

    return forward


def main(record):
    times = harness.interleave({**ours(), "first": peer(False), "last": peer(True)}, repeats=ROUNDS, inner=1)
    theirs = {name: times[name] for name in ("first", "last")}
    for name, what in {"ours": "as it is trained", "folded": "batch norms folded"}.items():
        record.times(f"ResNet-18, one image of 224 x 224, {what}", {"ours": times[name], **theirs})
    record.note(f"PyTorch, channels first {1e3 * times['first']:.1f} ms, last {1e3 * times['last']:.1f} ms")

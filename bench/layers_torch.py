"""Layers of torch.nn, each in the smallest module that a real one suggests."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from layers import Case
from torch import nn


class First(nn.Module):
    """The first of what a layer returns: the outputs of a recurrent one."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layer(x)[0]


class Of(nn.Module):
    """A function of a tensor and of layers."""

    def __init__(self, function: Callable[..., torch.Tensor], *layers: nn.Module) -> None:
        super().__init__()
        self.function, self.layers = function, nn.ModuleList(layers)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.function(x, *self.layers)


def _behind_dense(activation: nn.Module) -> nn.Module:
    return nn.Sequential(nn.Linear(6, 8), activation)


def _behind_conv(*layers: nn.Module) -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), *layers)


# Without batch, channels first.
IMAGE, VECTOR, SEQUENCE, SIGNAL = (3, 10, 10), (6,), (6, 8), (3, 16)

LAYERS: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "Linear": (lambda: nn.Linear(6, 4), VECTOR),
    "Linear on a sequence": (lambda: nn.Linear(8, 4), SEQUENCE),
    "Bilinear": (lambda: Of(lambda x, f: f(x, x), nn.Bilinear(6, 6, 4)), VECTOR),
    "Identity": (lambda: nn.Sequential(nn.Linear(6, 4), nn.Identity()), VECTOR),
    "Flatten": (lambda: _behind_conv(nn.Flatten(), nn.Linear(400, 3)), IMAGE),
    "Unflatten": (lambda: nn.Sequential(nn.Linear(6, 12), nn.Unflatten(1, (3, 4))), VECTOR),
    "Conv1d": (lambda: nn.Conv1d(3, 4, 3, stride=2, padding=1), SIGNAL),
    "Conv1d, dilation": (lambda: nn.Conv1d(3, 4, 3, dilation=2), SIGNAL),
    "Conv2d": (lambda: nn.Conv2d(3, 4, 3, padding="same"), IMAGE),
    "Conv2d, stride": (lambda: nn.Conv2d(3, 4, 3, stride=2, padding=1), IMAGE),
    "Conv2d, depthwise": (lambda: _behind_conv(nn.Conv2d(4, 8, 3, padding=1, groups=4)), IMAGE),
    "Conv2d, groups": (lambda: _behind_conv(nn.Conv2d(4, 6, 3, padding=1, groups=2)), IMAGE),
    "ConvTranspose1d": (lambda: nn.ConvTranspose1d(3, 4, 3, stride=2), SIGNAL),
    "ConvTranspose2d": (lambda: nn.ConvTranspose2d(3, 4, 3, stride=2, padding=1, output_padding=1), IMAGE),
    "MaxPool1d": (lambda: nn.MaxPool1d(2), SIGNAL),
    "MaxPool2d": (lambda: _behind_conv(nn.MaxPool2d(2)), IMAGE),
    "MaxPool2d, ceil_mode": (lambda: _behind_conv(nn.MaxPool2d(3, 2, 1, ceil_mode=True)), IMAGE),
    "AvgPool1d": (lambda: nn.AvgPool1d(2), SIGNAL),
    "AvgPool2d": (lambda: _behind_conv(nn.AvgPool2d(2)), IMAGE),
    "AvgPool2d, padding": (lambda: _behind_conv(nn.AvgPool2d(3, 2, 1)), IMAGE),
    "AdaptiveAvgPool1d": (lambda: nn.AdaptiveAvgPool1d(1), SIGNAL),
    "AdaptiveAvgPool2d": (lambda: _behind_conv(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3)), IMAGE),
    "AdaptiveAvgPool2d to 2x2": (lambda: _behind_conv(nn.AdaptiveAvgPool2d(2)), IMAGE),
    "AdaptiveMaxPool2d": (lambda: _behind_conv(nn.AdaptiveMaxPool2d(1)), IMAGE),
    "LPPool2d": (lambda: _behind_conv(nn.ReLU(), nn.LPPool2d(2, 2)), IMAGE),
    "BatchNorm1d": (lambda: nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU()), VECTOR),
    "BatchNorm2d": (lambda: _behind_conv(nn.BatchNorm2d(4), nn.ReLU()), IMAGE),
    "LayerNorm": (lambda: nn.Sequential(nn.Linear(8, 8), nn.LayerNorm(8)), SEQUENCE),
    "GroupNorm": (lambda: _behind_conv(nn.GroupNorm(2, 4)), IMAGE),
    "InstanceNorm2d": (lambda: _behind_conv(nn.InstanceNorm2d(4)), IMAGE),
    "RMSNorm": (lambda: nn.Sequential(nn.Linear(8, 8), nn.RMSNorm(8)), SEQUENCE),
    "LocalResponseNorm": (lambda: _behind_conv(nn.LocalResponseNorm(2)), IMAGE),
    "Dropout": (lambda: _behind_dense(nn.Dropout()), VECTOR),
    "ReLU": (lambda: _behind_dense(nn.ReLU()), VECTOR),
    "ReLU6": (lambda: _behind_dense(nn.ReLU6()), VECTOR),
    "LeakyReLU": (lambda: _behind_dense(nn.LeakyReLU(0.1)), VECTOR),
    "PReLU": (lambda: _behind_conv(nn.PReLU(4)), IMAGE),
    "ELU": (lambda: _behind_dense(nn.ELU()), VECTOR),
    "SELU": (lambda: _behind_dense(nn.SELU()), VECTOR),
    "CELU": (lambda: _behind_dense(nn.CELU(0.5)), VECTOR),
    "GELU": (lambda: _behind_dense(nn.GELU()), VECTOR),
    "SiLU": (lambda: _behind_dense(nn.SiLU()), VECTOR),
    "Mish": (lambda: _behind_dense(nn.Mish()), VECTOR),
    "Softplus": (lambda: _behind_dense(nn.Softplus()), VECTOR),
    "Softsign": (lambda: _behind_dense(nn.Softsign()), VECTOR),
    "Softshrink": (lambda: _behind_dense(nn.Softshrink()), VECTOR),
    "Hardtanh": (lambda: _behind_dense(nn.Hardtanh()), VECTOR),
    "Hardsigmoid": (lambda: _behind_dense(nn.Hardsigmoid()), VECTOR),
    "Hardswish": (lambda: _behind_dense(nn.Hardswish()), VECTOR),
    "Sigmoid": (lambda: _behind_dense(nn.Sigmoid()), VECTOR),
    "Tanh": (lambda: _behind_dense(nn.Tanh()), VECTOR),
    "LogSigmoid": (lambda: _behind_dense(nn.LogSigmoid()), VECTOR),
    "Threshold": (lambda: _behind_dense(nn.Threshold(0.1, 0.0)), VECTOR),
    "GLU": (lambda: _behind_dense(nn.GLU()), VECTOR),
    "Softmax": (lambda: _behind_dense(nn.Softmax(-1)), VECTOR),
    "LogSoftmax": (lambda: _behind_dense(nn.LogSoftmax(-1)), VECTOR),
    "Upsample, nearest": (lambda: _behind_conv(nn.Upsample(scale_factor=2)), IMAGE),
    "Upsample, bilinear": (lambda: _behind_conv(nn.Upsample(scale_factor=2, mode="bilinear")), IMAGE),
    "PixelShuffle": (lambda: _behind_conv(nn.PixelShuffle(2)), IMAGE),
    "PixelUnshuffle": (lambda: _behind_conv(nn.PixelUnshuffle(2)), IMAGE),
    "ChannelShuffle": (lambda: _behind_conv(nn.ChannelShuffle(2)), IMAGE),
    "ZeroPad2d": (lambda: _behind_conv(nn.ZeroPad2d(1)), IMAGE),
    "ReflectionPad2d": (lambda: _behind_conv(nn.ReflectionPad2d(1)), IMAGE),
    "ReplicationPad2d": (lambda: _behind_conv(nn.ReplicationPad2d(1)), IMAGE),
    "RNN": (lambda: First(nn.RNN(8, 4, batch_first=True)), SEQUENCE),
    "LSTM": (lambda: First(nn.LSTM(8, 4, batch_first=True)), SEQUENCE),
    "LSTM, two ways, two layers": (lambda: First(nn.LSTM(8, 4, 2, batch_first=True, bidirectional=True)), SEQUENCE),
    "GRU": (lambda: First(nn.GRU(8, 4, batch_first=True)), SEQUENCE),
    "MultiheadAttention": (
        lambda: Of(lambda x, f: f(x, x, x)[0], nn.MultiheadAttention(8, 2, batch_first=True)),
        SEQUENCE,
    ),
    "TransformerEncoderLayer": (lambda: nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), SEQUENCE),
    "CosineSimilarity": (
        lambda: Of(lambda x, f, g: nn.CosineSimilarity()(f(x), g(x)), nn.Linear(6, 4), nn.Linear(6, 4)),
        VECTOR,
    ),
}


def cases() -> dict[str, Case]:
    return {name: Case([shape], _seeded(make), _predict) for name, (make, shape) in LAYERS.items()}


def _seeded(make: Callable[[], nn.Module]) -> Callable[[], nn.Module]:
    def made() -> nn.Module:
        torch.manual_seed(1)
        return make().eval()

    return made


def _predict(model: nn.Module, readings: list[np.ndarray]) -> list[np.ndarray]:
    with torch.no_grad():
        return [model(*map(torch.from_numpy, readings)).numpy()]
